#include "io/http/headers.h"

#include <gtest/gtest.h>

namespace openclip {
namespace {

TEST(HttpHeadersTest, NamesIgnoreCaseAndValuesLoseBlanks) {
  HttpHeaders headers;
  EXPECT_TRUE(headers.add_line("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(headers.add_line("ETag:  \"abc\" \r\n"));
  EXPECT_TRUE(headers.add_line("etag: second\r\n"));
  EXPECT_TRUE(headers.add_line("no colon here\r\n"));
  EXPECT_TRUE(headers.add_line("\r\n"));
  EXPECT_EQ(headers.get("etag"), "\"abc\"");
  EXPECT_EQ(headers.get("absent"), "");
}

TEST(HttpHeadersTest, AStatusLineBeginsAnew) {
  HttpHeaders headers;
  headers.add_line("HTTP/1.1 200 Connection established");
  headers.add_line("X-Proxy: yes");
  headers.add_line("HTTP/1.1 404 Not Found");
  EXPECT_EQ(headers.get("X-Proxy"), "");
}

TEST(HttpHeadersTest, LimitsBytesAndFields) {
  HttpHeaders large;
  EXPECT_FALSE(large.add_line("A: " + std::string(HttpHeaders::kMaxBytes, 'x')));
  HttpHeaders many;
  for (size_t i = 0; i < HttpHeaders::kMaxFields; ++i) EXPECT_TRUE(many.add_line("A: 1"));
  EXPECT_FALSE(many.add_line("A: 1"));
}

TEST(HttpHeadersTest, Decimals) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", "1 ", " 1", "0x1", "1e3", "18446744073709551616"})
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
}

TEST(HttpHeadersTest, ContentRanges) {
  const auto range = parse_content_range("bytes 100-199/500");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 100u);
  EXPECT_EQ(range->last, 199u);
  EXPECT_EQ(range->total, 500u);
  EXPECT_EQ(parse_content_range("bytes 0-0/*")->total, std::nullopt);
  for (const char* bad : {"", "bytes", "bytes */500", "bytes 2-1/5", "bytes 0-5/5", "0-1/5",
                          "bytes 0/5-1", "bytes 0-1", "bytes 0-1/x"})
    EXPECT_FALSE(parse_content_range(bad)) << bad;
}

TEST(HttpHeadersTest, RetryAfterIsANumberOrADate) {
  constexpr int64_t kDate = 784111777;  // the example of RFC 9110
  EXPECT_EQ(parse_retry_after("120", 0), 120u);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kDate - 5), 5u);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kDate + 5), 0u);
  for (const char* bad : {"", "soon", "-1", "Sun, 06 Nov 1994 08:49:37"})
    EXPECT_EQ(parse_retry_after(bad, 0), std::nullopt) << bad;
}

TEST(HttpHeadersTest, EtagsLoseTheirMarks) {
  EXPECT_EQ(normalise_etag("\"abc\""), "abc");
  EXPECT_EQ(normalise_etag("W/\"abc\""), "abc");
  EXPECT_EQ(normalise_etag("abc"), "abc");
  EXPECT_EQ(normalise_etag(""), "");
}

}  // namespace
}  // namespace openclip
