#include "cli/output.h"

#include <gtest/gtest.h>

namespace openclip {
namespace {

TEST(OutputTest, CountsColumnsOfATerminal) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("cat"), 3);
  EXPECT_EQ(display_width("猫"), 2);
  EXPECT_EQ(display_width("e\u0301"), 1);   // a combining accent takes no column
  EXPECT_EQ(display_width("a\xFF"), 2);     // a stray byte shows as one mark
  EXPECT_EQ(display_width("\xE7\x8C"), 2);  // so does each byte of a cut character
  EXPECT_EQ(pad_right("猫", 4), "猫  ");
  EXPECT_EQ(pad_right("long", 2), "long");
}

TEST(OutputTest, ForeignTextCannotDriveTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a?[31m?b?");
  EXPECT_EQ(printable("猫 \u00e9"), "猫 \u00e9");
}

}  // namespace
}  // namespace openclip
