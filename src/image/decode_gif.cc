// GIF through giflib: the first frame on the screen, as Pillow gives it. The mode is "L" where the
// frame's palette is the grey ramp (or absent), else "P".
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "image/decode_formats.h"

namespace openclip {
namespace {

struct ByteSource {
  std::span<const uint8_t> bytes;
  size_t position = 0;
  bool at_end = false;
};

int read_bytes(GifFileType* file, GifByteType* out, int count) {
  auto& source = *static_cast<ByteSource*>(file->UserData);
  const size_t left = source.bytes.size() - source.position;
  const size_t got = std::min(left, static_cast<size_t>(count));
  if (got < static_cast<size_t>(count)) source.at_end = true;
  std::memcpy(out, source.bytes.data() + source.position, got);
  source.position += got;
  return static_cast<int>(got);
}

class GifReader {
 public:
  explicit GifReader(const DecodeInput& input) : input_(input), source_{input.bytes} {
    int error = 0;
    file_.reset(DGifOpen(&source_, read_bytes, &error));
    if (!file_) fail(error);
  }

  GifFileType* operator->() const { return file_.get(); }

  // Reads up to the header of the first frame. Returns the index that its control block names
  // transparent, or -1.
  int seek_first_frame() {
    int transparent = -1;
    for (;;) {
      GifRecordType record;
      check(DGifGetRecordType(file_.get(), &record));
      if (record == IMAGE_DESC_RECORD_TYPE) {
        check(DGifGetImageDesc(file_.get()));
        return transparent;
      }
      if (record == TERMINATE_RECORD_TYPE) throw ParseError(input_.source, "GIF without a frame");
      if (record != EXTENSION_RECORD_TYPE) continue;
      int code = 0;
      GifByteType* block = nullptr;  // first byte: length
      check(DGifGetExtension(file_.get(), &code, &block));
      if (block && code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4 && (block[1] & 1)) {
        transparent = block[4];
      }
      while (block) check(DGifGetExtensionNext(file_.get(), &block));
    }
  }

  void read_row(uint8_t* out, int width) { check(DGifGetLine(file_.get(), out, width)); }

 private:
  void check(int status) const {
    if (status != GIF_OK) fail(file_->Error);
  }
  [[noreturn]] void fail(int error) const {
    if (source_.at_end) throw ParseError(input_.source, "truncated GIF: ends too early");
    const char* text = GifErrorString(error);
    throw ParseError(input_.source, fmt::format("damaged GIF: {}", text ? text : "unknown error"));
  }

  struct Close {
    void operator()(GifFileType* file) const { DGifCloseFile(file, nullptr); }
  };
  const DecodeInput& input_;
  ByteSource source_;
  std::unique_ptr<GifFileType, Close> file_;
};

bool is_grey_ramp(const ColorMapObject& map) {
  for (int i = 0; i < map.ColorCount; ++i) {
    const auto& color = map.Colors[i];
    if (color.Red != i || color.Green != i || color.Blue != i) return false;
  }
  return true;
}

// Row of the picture that each row of the file holds.
std::vector<int> row_order(int height, bool interlaced) {
  std::vector<int> order;
  if (!interlaced) {
    for (int y = 0; y < height; ++y) order.push_back(y);
    return order;
  }
  static constexpr int kPasses[4][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};  // first row, step
  for (const auto& [first, step] : kPasses) {
    for (int y = first; y < height; y += step) order.push_back(y);
  }
  return order;
}

}  // namespace

Image decode_gif(const DecodeInput& input) {
  GifReader gif(input);
  const int transparent = gif.seek_first_frame();
  const GifImageDesc& frame = gif->Image;
  // A frame beyond the screen enlarges it (Pillow); a screen of zero is the frame's.
  const int width = std::max(gif->SWidth, frame.Left + frame.Width);
  const int height = std::max(gif->SHeight, frame.Top + frame.Height);
  check_size(input, "GIF", width, height);
  check_size(input, "GIF frame", frame.Width, frame.Height);

  const ColorMapObject* map = frame.ColorMap ? frame.ColorMap : gif->SColorMap;
  const bool grey = !map || is_grey_ramp(*map);
  Image image = make_image(grey ? PixelMode::l : PixelMode::p, width, height);
  for (int i = 0; !grey && i < map->ColorCount; ++i) {
    image.palette[3 * i] = map->Colors[i].Red;
    image.palette[3 * i + 1] = map->Colors[i].Green;
    image.palette[3 * i + 2] = map->Colors[i].Blue;
  }
  if (transparent > 0) {
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(transparent));
  }
  for (int y : row_order(frame.Height, frame.Interlace)) {
    gif.read_row(image.row(frame.Top + y) + frame.Left, frame.Width);
  }
  return image;
}

}  // namespace openclip
