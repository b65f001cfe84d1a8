#include "augment/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "augment/hog.h"
#include "augment/random_crop.h"
#include "base/error.h"

namespace openclip::train {
namespace {

// A filled disc, right of the middle, on nothing.
Image disc(int side, uint8_t red = 200) {
  Image image = make_image(PixelMode::rgba, side, side);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      if (std::hypot(x - side * 0.6, y - side * 0.5) < side * 0.3) {
        uint8_t* pixel = image.row(y) + 4 * x;
        pixel[0] = red, pixel[1] = 40, pixel[2] = 90, pixel[3] = 255;
      }
  return image;
}

std::vector<float> hog_of(const Canvas& canvas) {
  std::vector<float> hog(kHogLength);
  hog_descriptor(canvas, hog.data());
  return hog;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += a[i] * b[i];
  return dot;  // both have norm 1
}

TEST(HogTest, HasUnitNormAndSeesShapeNotColour) {
  const std::vector<float> red = hog_of(place_plain(disc(96), 64));
  EXPECT_NEAR(cosine(red, red), 1, 1e-5);
  EXPECT_GT(cosine(red, hog_of(place_plain(disc(96, 10), 64))), 0.98);
  Image square = make_image(PixelMode::rgba, 96, 96);
  for (int y = 20; y < 60; ++y)
    for (int x = 10; x < 80; ++x) square.row(y)[4 * x + 3] = 255;
  EXPECT_LT(cosine(red, hog_of(place_plain(square, 64))), 0.6);
}

TEST(HogTest, EmptyPictureIsFinite) {
  for (const float value : hog_of(Canvas(64))) EXPECT_EQ(value, 0);
}

TEST(GeometryTest, PlainPlacementKeepsColourAndCoverage) {
  const Canvas canvas = place_plain(disc(64), 64);
  const size_t middle = 32 * 64 + 38, corner = 0;
  EXPECT_NEAR(canvas.alpha[middle], 1, 1e-5);
  EXPECT_NEAR(canvas.colour[0][middle], 200 / 255.0, 1e-4);
  EXPECT_EQ(canvas.alpha[corner], 0);
}

TEST(AugmentTest, SamePositionSamePixelsAndAllStylesStayInRange) {
  AugmentOptions options;
  options.parse({"style=1"});
  PreprocessSettings plain;
  plain.mean = {0, 0, 0};
  plain.std = {1, 1, 1};
  const Augmenter augmenter(options, plain, 48);
  const Image picture = disc(96);
  std::vector<float> a(48 * 48 * 3), b(a.size()), hog(kHogLength);
  for (uint64_t i = 0; i < 300; ++i) {
    augmenter.augment(picture, {.flip = true, .recolour = i % 2 == 0}, Random{i}, a.data(),
                      hog.data());
    augmenter.augment(picture, {.flip = true, .recolour = i % 2 == 0}, Random{i}, b.data(),
                      nullptr);
    ASSERT_EQ(a, b) << i;
    for (const float value : a)
      ASSERT_TRUE(value >= -1e-5f && value <= 1 + 1e-5f) << i << " " << value;
  }
}

TEST(AugmentTest, WithoutOptionsCropsOnly) {
  const Augmenter augmenter({}, {}, 32);
  std::vector<float> pixels(32 * 32 * 3);
  augmenter.augment(disc(96), {}, Random{1}, pixels.data(), nullptr);
  for (const float value : pixels) EXPECT_TRUE(std::isfinite(value));
}

TEST(AugmentTest, OptionsAreChecked) {
  AugmentOptions options;
  options.parse({"scale=(0.4, 1.0)", "color_jitter=0.32,0.32,0.32,0.08", "color_jitter_prob=0.8",
                 "gray_scale_prob=0.2"});
  EXPECT_DOUBLE_EQ(options.scale[0], 0.4);
  EXPECT_DOUBLE_EQ(options.color_jitter[3], 0.08);
  for (const char* bad : {"scale=2,3", "scale=x", "style=2", "style", "no_such=1", "ratio=2,1"})
    EXPECT_THROW(options.parse({bad}), InvalidArgument) << bad;
}

TEST(RandomCropTest, AreaAndRatioAreWithinLimits) {
  Random random{3};
  for (int i = 0; i < 500; ++i) {
    const Box box = random_crop(400, 300, {0.5, 1.0}, {0.75, 4.0 / 3}, random);
    const double w = box.right - box.left, h = box.bottom - box.top;
    EXPECT_TRUE(box.left >= 0 && box.top >= 0 && box.right <= 400 && box.bottom <= 300);
    EXPECT_GT(w * h, 0.49 * 400 * 300);
    EXPECT_TRUE(w / h > 0.74 && w / h < 1.35);
  }
  const Box thin = random_crop(1000, 10, {0.9, 1.0}, {0.75, 4.0 / 3}, random);
  EXPECT_EQ(thin.bottom - thin.top, 10);
  EXPECT_NEAR(thin.right - thin.left, 13, 1);
}

}  // namespace
}  // namespace openclip::train
