#include "io/hub_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/hub/client.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

class HubCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(repo_ / "refs");
    for (const char* commit : {"aaa", "bbb", "ccc"}) {
      fs::create_directories(repo_ / "snapshots" / commit);
      write_file_atomic((repo_ / "snapshots" / commit / "config.json").string(), "{}");
    }
    write_file_atomic((repo_ / "refs" / "main").string(), "bbb\n");
    setenv("HF_HUB_CACHE", root_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("HF_HUB_CACHE");
    fs::remove_all(root_);
  }
  fs::path root_ = fs::path(testing::TempDir()) / "openclip_hub_cache";
  fs::path repo_ = root_ / "models--org--my.model";
};

TEST_F(HubCacheTest, PrefersTheSnapshotOfMain) {
  EXPECT_EQ(find_in_hub_cache("org/my.model", "config.json"),
            (repo_ / "snapshots/bbb/config.json").string());
  EXPECT_EQ(hub_snapshots("org/my.model").size(), 3u);
}

TEST_F(HubCacheTest, FallsBackToASnapshotThatHasTheFile) {
  write_file_atomic((repo_ / "snapshots/ccc/w.safetensors").string(), "x");
  EXPECT_EQ(find_in_hub_cache("org/my.model", "w.safetensors"),
            (repo_ / "snapshots/ccc/w.safetensors").string());
  EXPECT_EQ(find_in_hub_cache("org/my.model", "absent"), std::nullopt);
  EXPECT_EQ(find_in_hub_cache("org/other", "config.json"), std::nullopt);
}

TEST_F(HubCacheTest, OtherRevisionsStandForThemselves) {
  write_file_atomic((repo_ / "refs" / "v1").string(), "ccc");
  const auto only = [&](const char* commit) {
    return std::vector<std::string>{(repo_ / "snapshots" / commit).string()};
  };
  EXPECT_EQ(hub_snapshots("org/my.model", "v1"), only("ccc"));
  EXPECT_EQ(hub_snapshots("org/my.model", "aaa"), only("aaa"));
  EXPECT_TRUE(hub_snapshots("org/my.model", "v2").empty());
  EXPECT_EQ(hub_snapshots("org/my.model", "main").size(), 3u);
}

TEST_F(HubCacheTest, ListsRepositories) {
  fs::create_directories(root_ / "datasets--org--data");
  fs::create_directories(root_ / "models--gpt2");
  EXPECT_EQ(hub_cached_repos(), std::vector<std::string>{"org/my.model"});
}

TEST_F(HubCacheTest, RefusesNamesThatLeaveTheCache) {
  for (const char* repo :
       {"", "..", ".", "na me", "../x", "org/..", "org/a/b", "/etc", "org/", "o rg/x"})
    EXPECT_THROW(hub_snapshots(repo), InvalidArgument) << repo;
}

TEST_F(HubCacheTest, OnlyTokenizersComeFromRepositoriesWithoutAnOwner) {
  EXPECT_EQ(hub_repo_folder("name"), "models--name");
  EXPECT_THROW(parse_hub_repo("name"), InvalidArgument);
  EXPECT_THROW(parse_hub_repo("name@main"), InvalidArgument);
  EXPECT_EQ(parse_hub_repo("org/name@v1").revision, "v1");
}

TEST(HubCacheDirTest, FollowsTheEnvironment) {
  unsetenv("HF_HUB_CACHE");
  setenv("HF_HOME", "/x/hf", 1);
  EXPECT_EQ(hub_cache_dir(), "/x/hf/hub");
  setenv("HUGGINGFACE_HUB_CACHE", "/x/old", 1);
  EXPECT_EQ(hub_cache_dir(), "/x/old");
  unsetenv("HUGGINGFACE_HUB_CACHE");
  unsetenv("HF_HOME");
  setenv("XDG_CACHE_HOME", "/x/cache", 1);
  EXPECT_EQ(hub_cache_dir(), "/x/cache/huggingface/hub");
  unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace openclip
