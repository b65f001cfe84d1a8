#include "image/encode_jpeg.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace openclip {
namespace {

TEST(EncodeJpeg, DecodesToNearlyTheSame) {
  Image image = make_image(PixelMode::rgb, 64, 48);
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 64; ++x) {
      uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = static_cast<uint8_t>(4 * x);
      pixel[1] = static_cast<uint8_t>(5 * y);
      pixel[2] = 90;
    }
  const Image back = decode_image(encode_jpeg(image, 95), "test");
  ASSERT_EQ(back.width, 64);
  ASSERT_EQ(back.height, 48);
  double sum = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i)
    sum += std::abs(int{image.pixels[i]} - int{back.pixels[i]});
  EXPECT_LT(sum / static_cast<double>(image.pixels.size()), 2.0);  // smooth: little is lost
}

TEST(EncodeJpeg, TransparentIsWhite) {
  Image image = make_image(PixelMode::rgba, 16, 16);  // black, alpha 0
  for (const uint8_t sample : decode_image(encode_jpeg(image), "test").pixels)
    EXPECT_GE(sample, 253);
  Image grey = make_image(PixelMode::la, 16, 16);
  for (size_t i = 1; i < grey.pixels.size(); i += 2) grey.pixels[i] = 255;  // opaque black
  for (const uint8_t sample : decode_image(encode_jpeg(grey), "test").pixels) EXPECT_LE(sample, 2);
}

TEST(EncodeJpeg, RefusesTooLarge) {
  EXPECT_THROW(encode_jpeg(make_image(PixelMode::l, 70000, 1)), InvalidArgument);
}

}  // namespace
}  // namespace openclip
