#include "tasks/templates.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace openclip {
namespace {

TEST(TemplatesTest, SetsHaveOpenClipsSizes) {
  EXPECT_EQ(template_set("openai").size(), 80u);
  EXPECT_EQ(template_set("simple").size(), 7u);
  EXPECT_EQ(template_set("openai").front(), "a bad photo of a {}.");
  check_templates(template_set("openai"));
  EXPECT_THAT([] { template_set("x"); },
              testing::ThrowsMessage<NotFound>(testing::HasSubstr("openai and simple")));
}

TEST(TemplatesTest, ASetFollowsWhatWasGiven) {
  EXPECT_THAT(with_template_set({"a {}"}, ""), testing::ElementsAre("a {}"));
  const auto both = with_template_set({"a {}"}, "simple");
  EXPECT_EQ(both.size(), 8u);
  EXPECT_EQ(both.front(), "a {}");
  EXPECT_THROW(with_template_set({}, "x"), NotFound);
}

TEST(TemplatesTest, FillsEveryPlace) {
  EXPECT_EQ(fill_template("{}", "cat"), "cat");
  EXPECT_EQ(fill_template("a {} and a {}.", "cat"), "a cat and a cat.");
  EXPECT_EQ(fill_template("{}{}", "{}"), "{}{}");  // a label is not searched for places again
  EXPECT_EQ(fill_template("none", "cat"), "none");
}

TEST(TemplatesTest, RefusesTemplatesWithoutAPlace) {
  EXPECT_THROW(check_templates({}), InvalidArgument);
  EXPECT_THROW(check_templates({"a {}", "a photo"}), InvalidArgument);
}

}  // namespace
}  // namespace openclip
