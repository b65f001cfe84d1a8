#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/clean.h"
#include "text/clip_split.h"
#include "text/html.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

using testing::ElementsAre;

TEST(Utf8Test, ReplacesMalformedBytesAsPythonDoes) {
  // Python: bytes.decode("utf-8", "replace")
  EXPECT_EQ(decode_utf8("a\xff\xc3z"), U"a\uFFFD\uFFFDz");
  EXPECT_EQ(decode_utf8("\xe2\x82"), U"\uFFFD");
  EXPECT_EQ(decode_utf8("\xe2\x82\xe2\x82\xac"), U"\uFFFD\u20AC");
  EXPECT_EQ(decode_utf8("\xed\xa0\x80"), U"\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(decode_utf8("\xc0\x80"), U"\uFFFD\uFFFD");
  EXPECT_EQ(decode_utf8("\xf4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(decode_utf8("\xf0\x9f\x98"), U"\uFFFD");
  EXPECT_EQ(decode_utf8("\xf0\x9f\x98\x80"), U"\U0001F600");
}

TEST(Utf8Test, EveryCodePointRoundTrips) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    std::string bytes;
    append_utf8(code, &bytes);
    size_t position = 0;
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(next_code_point(bytes, &position), surrogate ? kReplacementCharacter : code);
    ASSERT_EQ(position, bytes.size());
  }
}

TEST(UnicodeTest, LowersLikePython) {
  EXPECT_EQ(py_lower(U"\u0130I"), U"i\u0307i");
  EXPECT_EQ(py_lower(U"\u039F\u0394\u039F\u03A3"), U"\u03BF\u03B4\u03BF\u03C2");
  EXPECT_EQ(py_lower(U"\u03A3"), U"\u03C3");
  EXPECT_EQ(py_lower(U"A\u03A3'B"), U"a\u03C3'b");
  EXPECT_EQ(py_lower(U"A'\u03A3'."), U"a'\u03C2'.");
  EXPECT_EQ(simple_lower(U"A\u03A3"), U"a\u03C3");
}

TEST(UnicodeTest, Classes) {
  EXPECT_TRUE(is_letter(U'z') && is_letter(0x732B) && is_letter(0xAA) && !is_letter(U'1'));
  EXPECT_TRUE(is_number(U'7') && is_number(0xBD) && is_number(0x2167) && !is_number(0x4E8C));
  EXPECT_TRUE(is_py_space(0x1C) && is_py_space(0x3000) && !is_py_space(0x200B));
  EXPECT_TRUE(is_decimal(0x663) && !is_decimal(0xB2));
  EXPECT_EQ(collapse_spaces(U" \ta\u3000\u00A0b\n"), U"a b");
}

TEST(HtmlTest, UnescapesLikePython) {
  EXPECT_EQ(html_unescape(U"&lt;&amp;gt; &eacute &notit; &notin; &#65;&#x42 &#128;"),
            U"<&gt; \u00E9 \u00ACit; \u2209 AB \u20AC");
  EXPECT_EQ(html_unescape(U"&;&#;&#x;&nosuch;& &"), U"&;&#;&#x;&nosuch;& &");
  EXPECT_EQ(html_unescape(U"&#xD800;&#99999999999999999999;&#1;x"), U"\uFFFD\uFFFDx");
  EXPECT_EQ(html_unescape(U"&NotEqualTilde;"), U"\u2242\u0338");
}

TEST(HtmlTest, UnescapesUnambiguousOnly) {
  EXPECT_EQ(unescape_unambiguous(U"this&not that &eacute; &EACUTE; &SZLIG; &nTILDE; &#12ab;"),
            U"this&not that \u00E9 \u00C9 SS &nTILDE; &#12ab;");
}

std::vector<std::string> split(std::string_view text, const ClipSplitOptions& options = {}) {
  std::vector<std::string> words;
  for (size_t position = 0;;) {
    const auto word = next_clip_word(text, &position, options);
    if (word.empty()) return words;
    words.emplace_back(word);
  }
}

TEST(ClipSplitTest, FollowsThePattern) {
  EXPECT_THAT(split("it's 'll!'s"), ElementsAre("it", "'s", "'ll", "!'", "s"));
  EXPECT_THAT(split("a1b23 x_y"), ElementsAre("a", "1", "b", "2", "3", "x", "_", "y"));
  EXPECT_THAT(
      split("!<start_of_text><end_of_text>"),
      ElementsAre("!<", "start", "_", "of", "_", "text", "><", "end", "_", "of", "_", "text", ">"));
  EXPECT_THAT(split("<start_of_text>a"), ElementsAre("<start_of_text>", "a"));
  EXPECT_THAT(split("'\xc5\xbf"), ElementsAre("'\xc5\xbf"));
  EXPECT_THAT(split("'\xc5\xbf", {.ignore_case = false}), ElementsAre("'", "\xc5\xbf"));
  EXPECT_THAT(split("<end_of_text>", {.specials = false}),
              ElementsAre("<", "end", "_", "of", "_", "text", ">"));
  EXPECT_TRUE(split("  ").empty());
}

TEST(CleanTest, ShortWayEqualsLongWay) {
  const std::string plain = "  A Photo\tof\n\n<b>  \"the\" CAT's  tail~ ";
  EXPECT_EQ(clean_text(plain, CleanMode::lower), "a photo of <b> \"the\" cat's tail~");
  EXPECT_EQ(clean_text(plain, CleanMode::whitespace), "A Photo of <b> \"the\" CAT's tail~");
  // A character that takes the long way, and that cleaning removes.
  EXPECT_EQ(clean_text(plain + "\x01", CleanMode::lower), clean_text(plain, CleanMode::lower));
  EXPECT_EQ(clean_text("caf\xc3\x83\xc2\xa9", CleanMode::lower), "caf\xc3\xa9");
  // Broken text whose line ends in U+00C0: ftfy takes that and the newline for Java's NUL.
  EXPECT_EQ(clean_text("s\xc3\x83\xc2\xb3 \xc3\x80\n", CleanMode::lower), "s\xc3\xb3");
  EXPECT_EQ(clean_text("bad \xff byte", CleanMode::lower), "bad \xef\xbf\xbd byte");
}

}  // namespace
}  // namespace openclip
