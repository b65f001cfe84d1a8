#include "tasks/prepare_picture.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace openclip {
namespace {

TEST(PreparePictureTest, ProblemsNameThePictureOnce) {
  EXPECT_EQ(picture_problem("a.png", [] {}), "");
  EXPECT_EQ(picture_problem("a.png", [] { throw ParseError("a.png", "is cut short"); }),
            "a.png: is cut short");
  EXPECT_EQ(picture_problem("a.png", [] { throw InvalidArgument("too wide"); }), "a.png: too wide");
}

TEST(PreparePictureTest, FaultsOfTheProgramPass) {
  EXPECT_THROW(picture_problem("a.png", [] { throw Internal("no buffer"); }), Internal);
}

TEST(PreparePictureTest, PixelsAreThoseOfPreprocess) {
  Image image = make_image(PixelMode::rgb, 3, 2);
  image.pixels.assign(image.pixels.size(), 51);
  const PreprocessConfig config{.height = 4, .width = 5};
  std::vector<float> expected(3 * 4 * 5);
  preprocess(image, config, expected.data());
  EXPECT_EQ(tower_pixels(image, config), expected);
}

}  // namespace
}  // namespace openclip
