#include "io/http/url.h"

#include <gtest/gtest.h>

#include "io/http/errors.h"

namespace openclip {
namespace {

TEST(UrlTest, OriginsAreSchemeHostAndPort) {
  EXPECT_EQ(url_origin("https://Hub.Example/a/b?c"), "https://hub.example:443");
  EXPECT_EQ(url_origin("http://hub.example:8080"), "http://hub.example:8080");
  EXPECT_NE(url_origin("http://hub.example/"), url_origin("https://hub.example/"));
  EXPECT_EQ(url_origin("http://127.0.0.1:80/x"), url_origin("http://127.0.0.1/"));
}

TEST(UrlTest, RedirectsResolveAgainstTheirPage) {
  const std::string base = "https://hub.example/a/b/c";
  EXPECT_EQ(resolve_url(base, "/x/y"), "https://hub.example/x/y");
  EXPECT_EQ(resolve_url(base, "d?e=1"), "https://hub.example/a/b/d?e=1");
  EXPECT_EQ(resolve_url(base, "//cdn.example/z"), "https://cdn.example/z");
  EXPECT_EQ(resolve_url(base, "http://cdn.example:1234/z"), "http://cdn.example:1234/z");
}

TEST(UrlTest, RefusesOtherSchemesUsersAndLineBreaks) {
  const std::string base = "https://hub.example/a";
  for (const char* bad :
       {"file:///etc/passwd", "ftp://hub.example/", "https://user@hub.example/",
        "https://a:b@hub.example/", "gopher://x", "https://x/\r\nHost: y", "https://"})
    EXPECT_THROW(resolve_url(base, bad), NetworkError) << bad;
  EXPECT_THROW(url_origin(""), NetworkError);
  EXPECT_THROW(url_origin("hub example"), NetworkError);
  EXPECT_THROW(url_origin("https://x/" + std::string(20000, 'a')), NetworkError);
}

TEST(UrlTest, PercentEncoding) {
  EXPECT_EQ(percent_encode("refs/pr/1"), "refs%2Fpr%2F1");
  EXPECT_EQ(percent_encode("a b/ü#?%", "/"), "a%20b/%C3%BC%23%3F%25");
}

}  // namespace
}  // namespace openclip
