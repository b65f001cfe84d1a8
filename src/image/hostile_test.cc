// Damaged, truncated, oversized and foreign files: a typed error of one line that names the file,
// nothing on stderr, no memory taken for sizes that are only claimed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "image/image.h"

namespace openclip {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Bytes = std::vector<uint8_t>;

const std::filesystem::path kFolder = OPENCLIP_SOURCE_DIR "/tests/golden/image";

Bytes golden_bytes(const std::string& name) {
  return read_file((kFolder / name).string(), 1 << 24);
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// Text of the error, or "" where the picture is read. Other exceptions fail the test.
std::string error_of(std::span<const uint8_t> bytes, const DecodeLimits& limits = {}) {
  std::string text;
  try {
    decode_image(bytes, "a.file", limits);
    return "";
  } catch (const ParseError& error) {
    text = error.what();
  } catch (const Unsupported& error) {
    text = error.what();
  }
  EXPECT_THAT(text, StartsWith("a.file: "));
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  return text;
}

class HostileImageTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { EXPECT_EQ(testing::internal::GetCapturedStderr(), ""); }
};

TEST_F(HostileImageTest, RefusesEveryPrefixThatLacksPixels) {
  for (const char* name :
       {"size_17x9.jpg", "progressive_444.jpg", "cmyk.jpg", "rgb8.png", "palette4_interlaced.png",
        "grey16.png", "lossy.webp", "lossless_alpha.webp", "animated.webp", "palette.gif",
        "interlaced.gif", "rgb24.bmp", "os2_4.bmp", "rle8.bmp", "rgb565.bmp"}) {
    const Bytes whole = golden_bytes(name);
    ASSERT_EQ(error_of(whole), "") << name;
    size_t shortest_good = whole.size();
    for (size_t size = 0; size < whole.size(); ++size) {
      const Bytes prefix(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      if (error_of(prefix).empty()) shortest_good = std::min(shortest_good, size);
    }
    // PNG's end chunk, GIF's end mark and the padding of BMP rows may be absent.
    EXPECT_GE(shortest_good + 20, whole.size()) << name;
  }
}

TEST_F(HostileImageTest, SaysThatAJpegIsTruncated) {
  for (const char* name : {"rgb_420.jpg", "progressive.jpg", "grey.jpg"}) {
    Bytes bytes = golden_bytes(name);
    for (size_t size : {bytes.size() - 1, bytes.size() / 2, size_t{100}, size_t{4}}) {
      bytes.resize(size);
      EXPECT_THAT(error_of(bytes), HasSubstr("truncated JPEG")) << name << " cut to " << size;
    }
  }
}

TEST_F(HostileImageTest, AcceptsBytesAfterTheEnd) {
  for (const char* name : {"rgb_420.jpg", "rgb8.png", "palette.gif", "rgb24.bmp", "lossy.webp"}) {
    Bytes bytes = golden_bytes(name);
    const Bytes pixels = decode_image(bytes, name).pixels;
    for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<uint8_t>(i * 37));
    EXPECT_EQ(decode_image(bytes, name).pixels, pixels) << name;
  }
}

// Sizes over the limit, written into the headers of small files.
TEST_F(HostileImageTest, RefusesBombsByTheirHeader) {
  const auto patched = [](const char* name, size_t at, const Bytes& bytes) {
    Bytes file = golden_bytes(name);
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<ptrdiff_t>(at));
    return error_of(file);
  };
  const auto limit = HasSubstr("over the limit of 178956970 pixels");
  const uint8_t header[] = {0x89, 'P',  'N',  'G',  '\r', '\n', 0x1A, '\n',  // 100000 x 100000, RGB
                            0,    0,    0,    13,   'I',  'H',  'D',  'R',  0,   1,   0x86,
                            0xA0, 0,    1,    0x86, 0xA0, 8,    2,    0,    0,   0,   0x27,
                            0x30, 0x9C, 0x9F, 0,    0,    0,    0,    'I',  'D', 'A', 'T'};
  EXPECT_THAT(error_of(header), HasSubstr("PNG of 100000x100000 pixels is over the limit"));
  EXPECT_THAT(patched("rgb24.bmp", 18, {0xA0, 0x86, 1, 0, 0xA0, 0x86, 1, 0}), limit);
  EXPECT_THAT(patched("palette.gif", 6, {0xFF, 0xFF, 0xFF, 0xFF}), limit);
  EXPECT_THAT(patched("animated.webp", 24, {0xFF, 0x3F, 0, 0xFF, 0x3F, 0}), limit);
  const Bytes jpeg = golden_bytes("grey.jpg");
  const Bytes marker{0xFF, 0xC0};  // of the frame; sides follow after 5 bytes
  const auto frame = std::search(jpeg.begin(), jpeg.end(), marker.begin(), marker.end());
  EXPECT_THAT(
      patched("grey.jpg", static_cast<size_t>(frame - jpeg.begin()) + 5, {0xFF, 0xDC, 0xFF, 0xDC}),
      limit);
}

TEST_F(HostileImageTest, ObeysTheCallersLimits) {
  DecodeLimits limits;
  limits.max_pixels = 100;
  for (const char* name : {"grey.jpg", "rgb8.png", "lossy.webp", "palette.gif", "rgb24.bmp"}) {
    EXPECT_THAT(error_of(golden_bytes(name), limits), HasSubstr("over the limit of 100 pixels"))
        << name;
  }
  limits = {};
  limits.max_jpeg_scans = 2;
  EXPECT_THAT(error_of(golden_bytes("progressive.jpg"), limits), HasSubstr("too many scans"));
  EXPECT_EQ(error_of(golden_bytes("grey.jpg"), limits), "");
}

TEST_F(HostileImageTest, SaysWhatItFoundInsteadOfAPicture) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"", "found an empty file"},
      {"These are words.\nMore of them.\n", "found text"},
      {"<!DOCTYPE html><html>", "found a web page"},
      {"<svg xmlns=\"http://www.w3.org/2000/svg\">", "found an SVG text"},
      {std::string_view("\0\0\0\x1c"
                        "ftypavif",
                        12),
       "found an AVIF file"},
      {std::string_view("II*\0", 4), "found a TIFF file"},
      {std::string_view("PK\x03\x04\0\0", 6), "found a zip file"},
      {std::string_view("\0\0\0\0\0", 5), "found only zero bytes"},
      {std::string_view("\x01\x02\x03\x04\x05", 5), "starts with the bytes 01 02 03 04"},
      {"\xff\xd8", "found "},
  };
  for (const auto& [text, found] : cases) {
    EXPECT_THAT(
        error_of(bytes_of(text)),
        AllOf(HasSubstr("expected a JPEG, PNG, WebP, GIF or BMP picture"), HasSubstr(found)));
  }
}

// Bytes changed at random in files of every kind; under the sanitizers this finds wild reads.
TEST_F(HostileImageTest, SurvivesChangedBytes) {
  std::mt19937 random(1);
  DecodeLimits limits;
  limits.max_pixels = 1 << 20;
  int read = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (entry.file_size() > 5000 || name.ends_with(".npy") || name.ends_with(".md")) continue;
    const Bytes whole = golden_bytes(name);
    for (int i = 0; i < 40; ++i) {
      Bytes bytes = whole;
      for (size_t change = 0; change < 1 + random() % 3; ++change) {
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      }
      (error_of(bytes, limits).empty() ? read : refused) += 1;
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace openclip
