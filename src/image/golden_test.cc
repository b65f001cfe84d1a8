// Pictures of every kind against Pillow and open_clip, from tests/golden/image
// (tools/goldens/image.py).
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/preprocess.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

std::vector<uint8_t> golden(const std::string& name) {
  return read_file(OPENCLIP_SOURCE_DIR "/tests/golden/image/" + name, 1 << 24);
}

const Json& index() {
  static const Json json = [] {
    const auto text = golden("index.json");
    return Json::parse(text.begin(), text.end());
  }();
  return json;
}

uint32_t crc(const std::vector<uint8_t>& bytes) {
  return static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

PreprocessConfig config_of(const Json& setting) {
  PreprocessConfig config;
  config.height = setting["height"];
  config.width = setting["width"];
  const std::string mode = setting["resize_mode"], filter = setting["interpolation"];
  config.resize_mode = mode == "shortest"  ? ResizeMode::shortest
                       : mode == "longest" ? ResizeMode::longest
                                           : ResizeMode::squash;
  config.interpolation = filter == "bicubic" ? Interpolation::bicubic : Interpolation::bilinear;
  config.fill = setting["fill"];
  return config;
}

Image decode(const std::string& name) { return decode_image(golden(name), name); }

/// What stands in an .npy file behind its header, which says nothing that the test does not know.
template <class T>
std::vector<T> npy_data(const std::string& name, size_t count) {
  const auto bytes = golden(name);
  EXPECT_GT(bytes.size(), count * sizeof(T)) << name;
  std::vector<T> data(count);
  std::memcpy(data.data(), bytes.data() + bytes.size() - count * sizeof(T), count * sizeof(T));
  return data;
}

std::string npy_name(const Json& item, const char* ending) {
  std::string name = item["file"];
  name[name.find('.')] = '_';
  return name + "_" + std::to_string(item["setting"].get<int>()) + ending;
}

class ImageGoldenTest : public testing::TestWithParam<Json> {};

TEST_P(ImageGoldenTest, EqualsPillow) {
  const Json& row = GetParam();
  const Image image = decode(row["file"]);
  EXPECT_EQ(mode_name(image.mode), row["mode"].get<std::string>());
  EXPECT_EQ(image.width, row["width"].get<int>());
  EXPECT_EQ(image.height, row["height"].get<int>());
  EXPECT_EQ(crc(image.pixels), row["pixels"].get<uint32_t>());
  EXPECT_EQ(image.palette.empty() ? 0 : crc(image.palette), row.value("palette", 0u));
  const Json& settings = index()["settings"];
  for (size_t i = 0; i < settings.size(); ++i) {
    if (row["crops"][i].is_null()) continue;  // open_clip fails there
    const Image crop = preprocess_pixels(image, config_of(settings[i]));
    EXPECT_EQ(crc(crop.pixels), row["crops"][i].get<uint32_t>()) << settings[i].dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ImageGoldenTest,
                         testing::ValuesIn(index()["files"].get<std::vector<Json>>()),
                         [](const auto& info) {
                           std::string name = info.param["file"];
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

// The same in full for a few, so that a failure shows where pixels differ.
TEST(ImageGoldenFilesTest, CropsEqualPixelForPixel) {
  for (const Json& item : index()["in_full"]) {
    const PreprocessConfig config = config_of(index()["settings"][item["setting"].get<size_t>()]);
    const auto crop = preprocess_pixels(decode(item["file"]), config).pixels;
    const auto wanted = npy_data<uint8_t>(npy_name(item, ".npy"), crop.size());
    size_t different = 0;
    for (size_t i = 0; i < crop.size(); ++i) {
      if (crop[i] != wanted[i] && ++different <= 5) {
        ADD_FAILURE() << item["file"] << " y " << i / 3 / config.width << " x "
                      << i / 3 % config.width << " channel " << i % 3 << ": " << int{crop[i]}
                      << ", Pillow " << int{wanted[i]};
      }
    }
  }
}

TEST(ImageGoldenFilesTest, NormalisedTensorsEqualTorch) {
  for (const Json& item : index()["normalised"]) {
    PreprocessConfig config = config_of(index()["settings"][item["setting"].get<size_t>()]);
    config.mean = item["mean"];
    config.std = item["std"];
    std::vector<float> ours(static_cast<size_t>(3) * config.height * config.width);
    preprocess(decode(item["file"]), config, ours.data());
    const auto wanted = npy_data<float>(npy_name(item, "_normalised.npy"), ours.size());
    float worst = 0;
    for (size_t i = 0; i < ours.size(); ++i) worst = std::max(worst, std::abs(ours[i] - wanted[i]));
    EXPECT_LE(worst, 1e-6f) << item["file"];
  }
}

}  // namespace
}  // namespace openclip
