#include "io/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace openclip {
namespace {

std::string problem(std::string_view text, const JsonOptions& options = {}) {
  try {
    parse_json("f.json", text, options);
  } catch (const ParseError& error) {
    return error.what();
  }
  return "";
}

TEST(JsonTest, NamesSourceAndOffset) {
  EXPECT_EQ(problem("{\"a\": }"), "f.json: not valid JSON at byte 6");
  EXPECT_NE(problem(""), "");
  EXPECT_NE(problem("{} {}"), "");
  EXPECT_NE(problem("\"\xff\""), "");
  EXPECT_NE(problem("[1e999]"), "");
  EXPECT_NE(problem("{\"a\":1,}"), "");
}

TEST(JsonTest, LimitsDepthAndSize) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(problem(deep), testing::HasSubstr("nested deeper than 64 at byte 64"));
  EXPECT_EQ(problem("[\"[[[[\\\"[[[\"]", {.max_depth = 1}), "");
  EXPECT_THAT(problem("[1,2,3]", {.max_bytes = 6}), testing::HasSubstr("limit of 6"));
}

TEST(JsonTest, FindsRepeatedKeysPerObject) {
  const JsonOptions unique{.unique_keys = true};
  EXPECT_EQ(problem(R"({"a":{"a":1},"b":{"a":2}})", unique), "");
  EXPECT_THAT(problem(R"({"a":1,"a":2})", unique), testing::HasSubstr("repeats the key \"a\""));
  EXPECT_NE(problem(R"([{"x":{"a":1,"b":[],"a":2}}])", unique), "");
  EXPECT_EQ(problem(R"({"a":1,"a":2})"), "");
}

TEST(JsonTest, TypedLookups) {
  const Json json = parse_json("f", R"({"i":3,"f":2.0,"h":2.5,"s":"x","b":true,"n":null,
                                       "big":18446744073709551615})");
  EXPECT_EQ(json_get<int64_t>("f", json, "i"), 3);
  EXPECT_EQ(json_get<int64_t>("f", json, "f"), 2);
  EXPECT_EQ(json_get<double>("f", json, "i"), 3.0);
  EXPECT_EQ(json_get<std::string>("f", json, "s"), "x");
  EXPECT_TRUE(json_get<bool>("f", json, "b"));
  EXPECT_EQ(json_get_or<int64_t>("f", json, "n", 7), 7);
  EXPECT_EQ(json_get_or<int64_t>("f", json, "absent", 7), 7);
  EXPECT_THROW(json_get<int64_t>("f", json, "h"), ParseError);
  EXPECT_THROW(json_get<int64_t>("f", json, "big"), ParseError);
  EXPECT_THROW(json_get<int64_t>("f", json, "n"), ParseError);
  EXPECT_THROW(json_get_or<bool>("f", json, "s", true), ParseError);
}

}  // namespace
}  // namespace openclip
