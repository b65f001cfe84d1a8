#include "tasks/picture_encoder.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "tasks/test_util.h"

namespace openclip {
namespace {

class PictureEncoderTest : public testing::Test {
 protected:
  // A picture of noise that only `digest` decides about.
  PreparedImage picture(const std::string& digest) const {
    const int side = model_->config().vision.image_size;
    PreparedImage image;
    image.ref.name = "of " + digest;
    image.digest = digest;
    image.pixels.resize(size_t{3} * side * side);
    std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(digest)));
    for (float& value : image.pixels) value = static_cast<float>(random() % 1000) * 1e-3f;
    return image;
  }

  PictureEncoder encoder(size_t batch, PictureEncoder::Sink sink) const {
    return {batch, static_cast<size_t>(model_->config().embed_dim),
            [this](const float* pixels, int64_t count, float* features) {
              model_->encode_image(Context(1), pixels, count, features);
            },
            std::move(sink)};
  }

  std::vector<float> alone(const std::string& digest) const {
    std::vector<float> features(static_cast<size_t>(model_->config().embed_dim));
    model_->encode_image(Context(1), picture(digest).pixels.data(), 1, features.data());
    return features;
  }

  // Feeds the pictures; every one must come out in its place with its own features.
  void check(const std::vector<std::string>& digests, size_t batch) {
    size_t row = 0;
    PictureEncoder own = encoder(batch, [&](const ImageRef& ref, std::span<const float> features) {
      ASSERT_LT(row, digests.size());
      ASSERT_EQ(ref.name, "of " + digests[row]);
      const std::vector<float> want = alone(digests[row]);
      for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(features[i], want[i], 1e-5);
      ++row;
    });
    for (const std::string& digest : digests) own.add(picture(digest));
    own.finish();
    EXPECT_EQ(row, digests.size());
  }

  std::shared_ptr<const Model> model_ = golden_model("plain", Towers::image_only);
};

TEST_F(PictureEncoderTest, OrderAndEqualPictures) {
  for (const size_t batch : {1, 2, 3, 100}) {
    check({}, batch);
    check({"a", "b", "a", "a", "c", "b", "d", "a", "e"}, batch);
    check(std::vector<std::string>(40, "same"), batch);
  }
}

TEST_F(PictureEncoderTest, KeepsABoundedNumberOfFeatures) {
  size_t computed = 0, rows = 0;
  constexpr size_t kEach = 1 << 18;  // four pictures of a generation
  PictureEncoder encoder(
      2, kEach,
      [&](const float*, int64_t count, float*) { computed += static_cast<size_t>(count); },
      [&](const ImageRef&, std::span<const float> features) {
        EXPECT_EQ(features.size(), kEach);
        ++rows;
      });
  for (int i = 0; i < 20; ++i) encoder.add(picture(std::to_string(i)));
  encoder.add(picture("18"));  // known still
  encoder.add(picture("0"));   // forgotten
  encoder.finish();
  EXPECT_EQ(rows, 22u);
  EXPECT_EQ(computed, 21u);
}

TEST_F(PictureEncoderTest, RefusesEmptyBatches) {
  EXPECT_THROW(PictureEncoder(0, 1, {}, {}), InvalidArgument);
}

}  // namespace
}  // namespace openclip
