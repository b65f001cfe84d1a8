#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "serve/formats/base64.h"
#include "serve/formats/data_url.h"
#include "serve/formats/float_json.h"
#include "serve/formats/json_body.h"
#include "serve/formats/multipart.h"

namespace openclip {
namespace {

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string encode(std::string_view text) {
  return base64_encode({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// RFC 4648, section 10.
TEST(Base64, KnownValues) {
  const std::pair<const char*, const char*> kKnown[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : kKnown) {
    EXPECT_EQ(encode(plain), coded);
    EXPECT_EQ(text_of(base64_decode(coded, "t", 100)), plain);
  }
}

TEST(Base64, TakesUnpaddedAndUrlAlphabet) {
  EXPECT_EQ(text_of(base64_decode("Zm9vYg", "t", 100)), "foob");
  EXPECT_EQ(base64_decode("-_8", "t", 100), base64_decode("+/8=", "t", 100));
}

TEST(Base64, RefusesOtherTexts) {
  for (const char* text :
       {"A", "AAAAA", "Zg=", "Zm8==", "====", "Zm 9v", "Zm9v\n", "=AAA", "Zg==Zg=="})
    EXPECT_THROW(base64_decode(text, "t", 100), ParseError) << text;
  EXPECT_THROW(base64_decode("Zm9vYmFy", "t", 5), ParseError);
  EXPECT_EQ(base64_decode("Zm9vYmFy", "t", 6).size(), 6u);
}

TEST(DataUrl, ReadsBothForms) {
  EXPECT_EQ(text_of(read_data_url("data:image/png;base64,Zm9v", "t", 9)), "foo");
  EXPECT_EQ(text_of(read_data_url("DATA:;BASE64,Zm9v", "t", 9)), "foo");
  EXPECT_EQ(text_of(read_data_url("data:,a%20b%zz", "t", 9)), "a b%zz");
  EXPECT_EQ(text_of(read_data_url("data:text/plain;charset=utf-8,%41", "t", 1)), "A");
}

TEST(DataUrl, Refuses) {
  for (const char* url : {"data:", "data:image/png;base64", "http://a/,", "", "data:;base64,%41"})
    EXPECT_THROW(read_data_url(url, "t", 9), ParseError) << url;
  EXPECT_THROW(read_data_url("data:,0123456789", "t", 9), ParseError);
  EXPECT_THROW(read_data_url("data:" + std::string(300, 'x') + ",a", "t", 9), ParseError);
}

constexpr const char* kType = "multipart/form-data; boundary=XX";

TEST(Multipart, ReadsParts) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"entries\"\r\n\r\n{}\r\n"
      "--XX\r\nContent-Type: image/png\r\ncontent-disposition: form-data; name=image; "
      "filename=\"a \\\"b\\\".png\"\r\n\r\n\r\n--X\r\n\r\n"
      "--XX\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XX--\r\n";
  const std::vector<FormPart> parts = parse_multipart(kType, body);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "entries");
  EXPECT_EQ(parts[0].data, "{}");
  EXPECT_EQ(parts[1].name, "image");
  EXPECT_EQ(parts[1].filename, "a \"b\".png");
  EXPECT_EQ(parts[1].data, "\r\n--X\r\n");
  EXPECT_EQ(find_part(parts, "empty")->data, "");
  EXPECT_EQ(find_part(parts, "other"), nullptr);
}

TEST(Multipart, TakesPreambleAndQuotedBoundary) {
  const std::string body =
      "hello\r\n--a b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a b--";
  EXPECT_EQ(parse_multipart("Multipart/Form-Data; boundary=\"a b\"", body).at(0).data, "1");
}

TEST(Multipart, Refuses) {
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
  EXPECT_THROW(parse_multipart("application/json", part + "--XX--"), ParseError);
  EXPECT_THROW(parse_multipart("multipart/form-data", part + "--XX--"), ParseError);
  for (const std::string& body :
       {std::string(""), std::string("--XX"), part, part + "--XX",
        std::string("--XX--x").substr(0, 4), std::string("--XX\r\n\r\n1\r\n--XX--"),
        std::string("--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--"),
        "--XX\r\nX: " + std::string(5000, 'y') + "\r\n\r\n1\r\n--XX--"})
    EXPECT_THROW(parse_multipart(kType, body), ParseError) << body;
  std::string many;
  for (int i = 0; i < 40; ++i) many += part;
  EXPECT_THROW(parse_multipart(kType, many + "--XX--"), ParseError);
}

TEST(JsonBody, Limits) {
  RequestLimits limits;
  limits.max_json_values = 4;
  EXPECT_EQ(parse_json_body(R"({"a":"x,[{,"})", limits)["a"], "x,[{,");
  EXPECT_THROW(parse_json_body("[1,2,3,4,5]", limits), ParseError);
  EXPECT_THROW(parse_json_body("", limits), ParseError);
  EXPECT_THROW(parse_json_body("[]", limits), ParseError);
  EXPECT_THROW(parse_json_body("{", limits), ParseError);
  limits = {};
  EXPECT_THROW(
      parse_json_body("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}", limits),
      ParseError);
  EXPECT_THROW(parse_json_body("{\"a\":[" + std::string(600'000, ',') + "]}", limits), ParseError);
}

TEST(JsonBody, Lists) {
  EXPECT_EQ(json_floats(Json::parse("[1,2.5]"), "v", 2), (std::vector<float>{1, 2.5f}));
  for (const char* text : {"[1,2,3]", "1", "[\"1\"]", "[1e60]", "[null]"})
    EXPECT_THROW(json_floats(Json::parse(text), "v", 2), ParseError) << text;
  EXPECT_EQ(json_strings(Json("a"), "v", 2), (std::vector<std::string>{"a"}));
  EXPECT_THROW(json_strings(Json::parse("[\"a\",1]"), "v", 2), ParseError);
}

TEST(FloatJson, GivesTheSameFloats) {
  const std::vector<float> values = {0.1f, -2e-5f, 1, 3.4028235e38f, 1e-45f, 0};
  std::string text;
  append_json(values, &text);
  EXPECT_EQ(Json::parse(text).get<std::vector<float>>(), values);
  EXPECT_THAT(text, testing::StartsWith("[0.1,-2e-05,1,"));
  text.clear();
  append_base64(std::vector<float>{1, -2}, &text);
  EXPECT_EQ(text, "\"AACAPwAAAMA=\"");  // struct.pack("<2f", 1, -2) in base64
}

}  // namespace
}  // namespace openclip
