// What the goldens do not show: windows, boxes and requests that are refused.
#include "image/resize.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/error.h"

namespace openclip {
namespace {

constexpr PixelMode kModes[] = {PixelMode::bit, PixelMode::l,    PixelMode::la,   PixelMode::p,
                                PixelMode::rgb, PixelMode::rgba, PixelMode::cmyk, PixelMode::i16};

Image noise(PixelMode mode, int width, int height) {
  std::mt19937 random(static_cast<uint32_t>(width * 1000 + height));
  Image image = make_image(mode, width, height);
  for (auto& value : image.pixels) {
    value = static_cast<uint8_t>(mode == PixelMode::bit ? random() % 2 * 255 : random());
  }
  return image;
}

Image cut(const Image& image, const Window& window) {
  Image out = make_image(image.mode, window.width, window.height);
  const int bytes = bytes_per_pixel(image.mode);
  for (int y = 0; y < window.height; ++y) {
    std::memcpy(out.row(y), image.row(window.top + y) + window.left * bytes, out.row_bytes());
  }
  return out;
}

TEST(ResizeTest, WindowEqualsPartOfTheWhole) {
  for (PixelMode mode : kModes) {
    for (const auto& [width, height] : {std::pair{97, 83}, {20, 300}, {300, 7}, {90, 70}}) {
      const Image image = noise(mode, width, height);
      for (auto filter : {Interpolation::bilinear, Interpolation::bicubic}) {
        const Image whole = resize(image, 90, 70, {filter, {}, {}});
        for (const Window& window :
             {Window{0, 0, 1, 1}, {89, 69, 1, 1}, {13, 5, 40, 65}, {0, 69, 90, 1}}) {
          EXPECT_EQ(resize(image, 90, 70, {filter, {}, window}).pixels, cut(whole, window).pixels)
              << mode_name(mode) << ' ' << width << 'x' << height;
        }
      }
    }
  }
}

// A row of the window of a huge output costs memory for the window alone.
TEST(ResizeTest, WindowOfAHugeOutput) {
  const Image image = noise(PixelMode::rgb, 1, 3);
  const Window middle{0, (1 << 26) - 2, 4, 4};
  const Image out = resize(image, 4, 1 << 27, {Interpolation::bicubic, {}, middle});
  EXPECT_EQ(out.height, 4);
  for (int y = 0; y < 4; ++y) {
    for (int i = 0; i < 12; ++i) EXPECT_EQ(out.row(y)[i], image.row(1)[i % 3]);
  }
}

TEST(ResizeTest, EqualSizeIsACopy) {
  for (PixelMode mode : kModes) {
    const Image image = noise(mode, 9, 5);
    EXPECT_EQ(resize(image, 9, 5).pixels, image.pixels) << mode_name(mode);
  }
}

TEST(ResizeTest, BoxOfWholePixelsAtItsOwnSizeIsACrop) {
  const Image image = noise(PixelMode::rgb, 30, 20);
  EXPECT_EQ(resize(image, 12, 9, {Interpolation::bilinear, Box{5, 4, 17, 13}, {}}).pixels,
            cut(image, {5, 4, 12, 9}).pixels);
}

TEST(ResizeTest, RefusesWhatCannotBe) {
  const Image image = noise(PixelMode::l, 4, 4);
  const auto refused = [&](int width, int height, const ResizeOptions& options = {}) {
    EXPECT_THROW(resize(image, width, height, options), InvalidArgument);
  };
  refused(0, 4);
  refused(4, -1);
  refused(kMaxResizedSide + 1, 4);
  refused(2, 2, {Interpolation::bicubic, Box{0, 0, 5, 4}, {}});
  refused(2, 2, {Interpolation::bicubic, Box{2, 0, 2, 4}, {}});
  refused(2, 2, {Interpolation::bicubic, Box{-1, 0, 2, 4}, {}});
  refused(2, 2, {Interpolation::bicubic, {}, Window{1, 0, 2, 2}});
  refused(2, 2, {Interpolation::bicubic, {}, Window{0, 0, 0, 2}});
  EXPECT_THROW(make_image(PixelMode::l, 0, 1), InvalidArgument);
}

}  // namespace
}  // namespace openclip
