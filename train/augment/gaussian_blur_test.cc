#include "augment/gaussian_blur.h"

#include <gtest/gtest.h>

#include <cmath>

#include "augment/augment.h"

namespace openclip::train {
namespace {

Image picture(int width, int height) {
  Image image;
  image.width = width;
  image.height = height;
  image.pixels.resize(3 * static_cast<size_t>(width) * height);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * 37 % 251);
  return image;
}

TEST(GaussianBlurTest, SpreadsAPointAsTheBellCurve) {
  Image image = picture(21, 15);
  std::fill(image.pixels.begin(), image.pixels.end(), 0);
  const auto at = [&](int x, int y) -> uint8_t& { return image.pixels[3 * (y * 21 + x)]; };
  at(10, 7) = 255;
  gaussian_blur(image, 1.5);
  const double peak = 255 / (2 * M_PI * 1.5 * 1.5);  // of the continuous curve
  for (const auto& [x, y] : {std::pair{10, 7}, {11, 7}, {10, 9}, {12, 6}, {14, 7}}) {
    const double distance = (x - 10) * (x - 10) + (y - 7) * (y - 7);
    EXPECT_NEAR(at(x, y), peak * std::exp(-distance / (2 * 1.5 * 1.5)), 0.8) << x << "," << y;
  }
}

TEST(GaussianBlurTest, LeavesPlainPicturesAlone) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 9}, {30, 4}}) {
    Image image = picture(width, height);
    std::fill(image.pixels.begin(), image.pixels.end(), 77);
    gaussian_blur(image, 2);
    for (const uint8_t value : image.pixels) EXPECT_EQ(value, 77);
  }
}

TEST(MirrorTest, TwiceIsNothing) {
  for (const int width : {1, 4, 5}) {
    const Image before = picture(width, 3);
    Image image = before;
    mirror(image);
    EXPECT_EQ(image.pixels[0], before.pixels[3 * (width - 1)]);
    mirror(image);
    EXPECT_EQ(image.pixels, before.pixels);
  }
}

TEST(SimclrTest, TwoViewsDiffer) {
  const Augmenter augmenter(AugmentOptions::simclr(), {}, 16);
  std::vector<float> first(3 * 16 * 16), second(first.size()), again(first.size());
  const Image image = picture(40, 30);
  augmenter.augment(image, {}, Random{1}, first.data(), nullptr);
  augmenter.augment(image, {}, Random{2}, second.data(), nullptr);
  augmenter.augment(image, {}, Random{1}, again.data(), nullptr);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, again);
}

}  // namespace
}  // namespace openclip::train
