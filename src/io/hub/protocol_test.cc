#include "io/hub/protocol.h"

#include <gmock/gmock.h>

namespace openclip {
namespace {

HttpHeaders headers(std::initializer_list<const char*> lines) {
  HttpHeaders out;
  for (const char* line : lines) out.add_line(line);
  return out;
}

const std::string kCommit(40, 'c');

TEST(HubProtocolTest, LinkedHeadersGoFirst) {
  const std::string commit = "X-Repo-Commit: " + kCommit;
  const auto info =
      parse_file_info("f",
                      headers({commit.c_str(), "ETag: \"small\"", "X-Linked-Etag: \"large\"",
                               "X-Linked-Size: 7", "Content-Length: 3"}),
                      true);
  EXPECT_EQ(info.commit, kCommit);
  EXPECT_EQ(info.etag, "large");
  EXPECT_EQ(info.size, 7u);
}

TEST(HubProtocolTest, ContentLengthCountsUnlessRedirected) {
  const std::string commit = "X-Repo-Commit: " + kCommit;
  const auto all = headers({commit.c_str(), "ETag: W/\"e\"", "Content-Length: 3"});
  EXPECT_EQ(parse_file_info("f", all, false).size, 3u);
  EXPECT_EQ(parse_file_info("f", all, true).size, std::nullopt);
  EXPECT_EQ(parse_file_info("f", all, true).etag, "e");
}

TEST(HubProtocolTest, RefusesAnswersThatNameNoContent) {
  const std::string commit = "X-Repo-Commit: " + kCommit;
  EXPECT_THROW(parse_file_info("f", headers({"ETag: \"e\""}), false), NetworkError);
  EXPECT_THROW(parse_file_info("f", headers({commit.c_str()}), false), NetworkError);
  for (const char* etag : {"ETag: \"../x\"", "ETag: \"a/b\"", "ETag: \".\"", "ETag: \"\""})
    EXPECT_THROW(parse_file_info("f", headers({commit.c_str(), etag}), false), NetworkError)
        << etag;
  EXPECT_THROW(parse_file_info("f", headers({"X-Repo-Commit: ../../x", "ETag: \"e\""}), false),
               NetworkError);
}

TEST(HubProtocolTest, EtagsSayWhichChecksum) {
  EXPECT_EQ(etag_checksum(std::string(64, 'a')).kind, Checksum::Kind::sha256);
  EXPECT_EQ(etag_checksum(std::string(40, 'a')).kind, Checksum::Kind::git_sha1);
  EXPECT_EQ(etag_checksum(std::string(40, 'g')).kind, Checksum::Kind::none);
  EXPECT_EQ(etag_checksum("a-5").kind, Checksum::Kind::none);
}

TEST(HubProtocolTest, Listings) {
  const HubListing listing = parse_listing(
      "api", R"({"sha":"abc","siblings":[{"rfilename":"a.json"},{"rfilename":"b/c.bin","size":3},
                {"rfilename":"../../etc/passwd"},{"rfilename":"/etc/passwd"},{"rfilename":"C:\\x"}],
                "private":false})");
  EXPECT_EQ(listing.commit, "abc");
  EXPECT_THAT(listing.files, testing::ElementsAre("a.json", "b/c.bin"));
  for (const char* bad : {"", "[]", "{}", R"({"sha":3})", R"({"sha":"../x","siblings":[]})",
                          R"({"sha":"a"})", R"({"sha":"a","siblings":{}})",
                          R"({"sha":"a","siblings":[1]})", R"({"sha":"a","siblings":[{}]})"})
    EXPECT_THROW(parse_listing("api", bad), ParseError) << bad;
}

TEST(HubProtocolTest, Paths) {
  for (const char* good : {"a", "a/b.c", ".gitattributes", "a b", "sub/.x"})
    EXPECT_TRUE(is_safe_relative_path(good)) << good;
  for (const char* bad : {"", "/a", "a/", "a//b", "..", "a/../b", ".", "a\\b", "C:x", "a\nb"})
    EXPECT_FALSE(is_safe_relative_path(bad)) << bad;
  for (const char* good : {"main", "refs/pr/1", "v1.0", "0123abc"}) EXPECT_TRUE(is_revision(good));
  for (const char* bad : {"", "..", "a/../b", "-x", "a b", "/x"}) EXPECT_FALSE(is_revision(bad));
}

}  // namespace
}  // namespace openclip
