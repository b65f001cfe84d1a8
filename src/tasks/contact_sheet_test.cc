#include "tasks/contact_sheet.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "image/draw.h"

namespace openclip {
namespace {

Image filled(int width, int height, Color color) {
  Image image = make_image(PixelMode::rgb, width, height);
  fill_rect(image, {0, 0, width, height}, color);
  return image;
}

Color pixel(const Image& image, int x, int y) {
  const uint8_t* at = image.row(y) + 3 * x;
  return {at[0], at[1], at[2]};
}

int dark_pixels(const Image& image, const PixelRect& rect) {
  int count = 0;
  for (int y = rect.top; y < rect.bottom; ++y)
    for (int x = rect.left; x < rect.right; ++x) count += pixel(image, x, y)[0] < 128;
  return count;
}

TEST(ContactSheetTest, PlacesPicturesInRows) {
  const std::vector<SheetCell> cells = {{filled(100, 50, {200, 0, 0}), "red", "0.9"},
                                        {filled(50, 100, {0, 200, 0}), "green", "0.8"},
                                        {filled(10, 10, {0, 0, 200}), "blue", "0.7"}};
  const Image sheet = contact_sheet(cells, {.heading = "colours", .side = 100, .columns = 2});
  // Two columns of 100 with gaps of 12, two rows of 100 + 40, and a heading of 32 + 12.
  EXPECT_EQ(sheet.width, 236);
  EXPECT_EQ(sheet.height, 360);
  const int first = 12 + 44, second = first + 140 + 12;
  EXPECT_EQ(pixel(sheet, 12 + 50, first + 50), (Color{200, 0, 0}));
  EXPECT_EQ(pixel(sheet, 12 + 50, first + 10), (Color{255, 255, 255}));  // above the flat one
  EXPECT_EQ(pixel(sheet, 124 + 50, first + 50), (Color{0, 200, 0}));
  EXPECT_EQ(pixel(sheet, 124 + 10, first + 50), (Color{255, 255, 255}));  // beside the narrow one
  // The small one is doubled, no more.
  EXPECT_EQ(pixel(sheet, 12 + 50, second + 50), (Color{0, 0, 200}));
  EXPECT_EQ(pixel(sheet, 12 + 38, second + 50), (Color{255, 255, 255}));
  EXPECT_GT(dark_pixels(sheet, {12, 12, 224, 44}), 50) << "the heading";
  EXPECT_GT(dark_pixels(sheet, {12, first + 104, 112, first + 140}), 20) << "the lines";
}

TEST(ContactSheetTest, DrawsAFrameForWhatIsMissing) {
  const Image sheet = contact_sheet({{Image{}, "gone.png", ""}}, {.side = 64});
  EXPECT_EQ(sheet.width, 64 + 24);
  EXPECT_EQ(pixel(sheet, 44, 44), (Color{238, 238, 238}));
}

TEST(ContactSheetTest, ChoosesColumns) {
  const auto columns = [](size_t count) {
    return (contact_sheet(std::vector<SheetCell>(count), {.side = 20}).width - 12) / 32;
  };
  EXPECT_EQ(columns(1), 1);
  EXPECT_EQ(columns(4), 2);
  EXPECT_EQ(columns(5), 3);
  EXPECT_EQ(columns(100), 8);
}

TEST(ContactSheetTest, ShortensLines) {
  EXPECT_EQ(shortened("a cat", 40), "a cat");
  EXPECT_EQ(shortened("a cat", 39), "a c…");
  EXPECT_EQ(shortened("红色的心", 64), "红色的心");
  EXPECT_EQ(text_width(shortened("红色的心", 60), 1) <= 60, true);
  EXPECT_EQ(shortened("", 0), "");
}

TEST(ContactSheetTest, RefusesWhatIsTooLarge) {
  EXPECT_THROW(contact_sheet({}), InvalidArgument);
  EXPECT_THROW(contact_sheet(std::vector<SheetCell>(5000)), InvalidArgument);
}

}  // namespace
}  // namespace openclip
