#include "image/draw.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "image/encode_png.h"
#include "image/font.h"

namespace openclip {
namespace {

Image white(int width, int height) {
  Image image = make_image(PixelMode::rgb, width, height);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{255});
  return image;
}

size_t count_not(const Image& image, uint8_t value) {
  return static_cast<size_t>(std::count_if(image.pixels.begin(), image.pixels.end(),
                                           [&](uint8_t x) { return x != value; }));
}

TEST(EncodePngTest, DecodesToTheSamePixels) {
  for (const PixelMode mode : {PixelMode::l, PixelMode::rgb, PixelMode::rgba}) {
    Image image = make_image(mode, 37, 11);
    for (size_t i = 0; i < image.pixels.size(); ++i)
      image.pixels[i] = static_cast<uint8_t>(i * 31 % 253);
    const Image back = decode_image(encode_png(image), "test");
    EXPECT_EQ(back.mode, mode);
    EXPECT_EQ(back.width, 37);
    EXPECT_EQ(back.pixels, image.pixels);
  }
}

TEST(EncodePngTest, RefusesWhatIsNoPicture) {
  EXPECT_THROW(encode_png(make_image(PixelMode::cmyk, 2, 2)), InvalidArgument);
  Image cut = white(4, 4);
  cut.pixels.pop_back();
  EXPECT_THROW(encode_png(cut), InvalidArgument);
  EXPECT_THROW(encode_png(Image{}), InvalidArgument);
  EXPECT_THROW(write_png("/nonexistent/x.png", white(2, 2)), IoError);
}

TEST(FontTest, HasTheScriptsOfLabels) {
  const Glyph missing = find_glyph(0xFFFD);
  for (const char32_t code : {U'A', U'z', U'é', U'Ω', U'ж', U'猫', U'的', U'ね', U'，'}) {
    const Glyph glyph = find_glyph(code);
    EXPECT_FALSE(std::ranges::equal(glyph.rows, missing.rows)) << static_cast<uint32_t>(code);
    EXPECT_EQ(glyph.rows.size(), static_cast<size_t>(kGlyphRows * glyph.columns / 8));
  }
  EXPECT_TRUE(std::ranges::equal(find_glyph(0x1F408).rows, missing.rows));
  // The letter I is a stem: ink in its middle column, none at its edges.
  const Glyph stem = find_glyph(U'I');
  EXPECT_TRUE(stem.is_ink(4, 8) || stem.is_ink(3, 8));
  EXPECT_FALSE(stem.is_ink(0, 8));
}

TEST(FontTest, TakesCodePointsAndStrayBytes) {
  const auto all = [](std::string_view text) {
    std::u32string out;
    while (!text.empty()) out += take_code_point(text);
    return out;
  };
  EXPECT_EQ(all("aé猫😀"), U"aé猫😀");
  EXPECT_EQ(all("\xFF"
                "a\xE7\x8C"),
            U"\xFFFD"
            U"a\xFFFD\xFFFD");
  EXPECT_EQ(all("\xC0\x80"), U"\xFFFD\xFFFD");
}

TEST(DrawTest, TextTakesTheWidthThatIsTold) {
  EXPECT_EQ(text_width("ab", 1), 16);
  EXPECT_EQ(text_width("a猫\n", 2), 48);
  Image image = white(60, 20);
  draw_text(image, 4, 2, "猫", 1, {0, 0, 0});
  EXPECT_GT(count_not(image, 255), size_t{30});
  for (int y = 0; y < 20; ++y)
    for (int x = 0; x < 60; ++x) {
      const bool inside = x >= 4 && x < 20 && y >= 2 && y < 18;
      ASSERT_TRUE(inside || image.row(y)[3 * x] == 255) << x << "," << y;
    }
}

TEST(DrawTest, NothingIsDrawnOutside) {
  Image image = white(10, 8);
  fill_rect(image, {-100, -100, -1, -1}, {0, 0, 0});
  fill_rect(image, {10, 0, 1 << 30, 1 << 30}, {0, 0, 0});
  EXPECT_EQ(count_not(image, 255), size_t{0});
  draw_text(image, -7, -9, "W猫W", 3, {0, 0, 0});
  draw_frame(image, {-5, -5, 50, 50}, 2, {1, 2, 3});
  fill_rect(image, {-5, -5, 50, 50}, {9, 9, 9});
  EXPECT_EQ(count_not(image, 9), size_t{0});
}

TEST(DrawTest, FrameLeavesTheInside) {
  Image image = white(10, 10);
  draw_frame(image, {1, 1, 9, 9}, 2, {0, 0, 0});
  EXPECT_EQ(count_not(image, 255), size_t{3 * (64 - 16)});
  fill_rect(image, {3, 3, 7, 7}, {0, 0, 0}, 0.5);
  EXPECT_EQ(image.row(5)[15], 128);
}

TEST(DrawTest, HeatTintsWhatIsHot) {
  Image image = white(40, 20);
  const std::vector<float> heat = {0, 1};  // left cold, right hot
  blend_heat(image, heat, 1, 2);
  const uint8_t* cold = image.row(10);
  const uint8_t* hot = image.row(10) + 3 * 39;
  EXPECT_EQ(cold[0], cold[2]);
  EXPECT_LT(cold[0], 160);
  EXPECT_GT(hot[0], hot[2] + 60);
  EXPECT_THROW(blend_heat(image, heat, 2, 2), InvalidArgument);
  Image grey = make_image(PixelMode::l, 4, 4);
  EXPECT_THROW(blend_heat(grey, heat, 1, 2), InvalidArgument);
}

TEST(DrawTest, ColoursOfLabelsDiffer) {
  for (size_t a = 0; a < 12; ++a)
    for (size_t b = 0; b < a; ++b) EXPECT_NE(label_color(a), label_color(b));
  EXPECT_EQ(ink_on({250, 250, 200}), (Color{0, 0, 0}));
  EXPECT_EQ(ink_on({20, 30, 120}), (Color{255, 255, 255}));
}

}  // namespace
}  // namespace openclip
