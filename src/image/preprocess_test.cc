// Edges of preprocessing that Python has no answer for; everything else is in golden_test.cc.
#include "image/preprocess.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace openclip {
namespace {

Image plain(int width, int height, uint8_t value) {
  Image image = make_image(PixelMode::l, width, height);
  image.pixels.assign(image.pixels.size(), value);
  return image;
}

// open_clip fails where the shorter side rounds to nothing; here one row remains.
TEST(PreprocessTest, LongestKeepsOneRowOfAThinPicture) {
  PreprocessConfig config;
  config.height = config.width = 8;
  config.resize_mode = ResizeMode::longest;
  config.fill = 3;
  const Image out = preprocess_pixels(plain(1000, 10, 200), config);
  for (int y = 0; y < 8; ++y) EXPECT_EQ(out.row(y)[0], y == 3 ? 200 : 3) << y;
}

TEST(PreprocessTest, RefusesPicturesTooNarrowToEnlarge) {
  const PreprocessConfig config;
  EXPECT_NO_THROW(preprocess_pixels(plain(1, 300'000, 9), config));
  EXPECT_THROW(preprocess_pixels(plain(1, 700'000, 9), config), InvalidArgument);
}

TEST(PreprocessTest, RefusesWrongConfigs) {
  PreprocessConfig config;
  config.height = 0;
  EXPECT_THROW(preprocess_pixels(plain(4, 4, 0), config), InvalidArgument);
  config = {};
  config.fill = 256;
  EXPECT_THROW(preprocess_pixels(plain(4, 4, 0), config), InvalidArgument);
}

TEST(PreprocessTest, PlanesAreNormalisedChannels) {
  PreprocessConfig config;
  config.height = config.width = 2;
  config.mean = {0, 0.5f, 1};
  config.std = {1, 0.5f, 2};
  float out[12];
  preprocess(plain(2, 2, 255), config, out);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(out[i], i < 8 ? 1.0f : 0.0f);
}

}  // namespace
}  // namespace openclip
