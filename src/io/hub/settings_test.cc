#include "io/hub/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

class HubSettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
          "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_ETAG_TIMEOUT",
          "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_DISABLE_IMPLICIT_TOKEN"})
      unset(name);
    set("HF_HOME", testing::TempDir() + "openclip_no_home");
  }
  void TearDown() override {
    for (const auto& [name, value] : before_)
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
  }
  void set(const char* name, const std::string& value) {
    remember(name);
    setenv(name, value.c_str(), 1);
  }
  void unset(const char* name) {
    remember(name);
    unsetenv(name);
  }
  void remember(const char* name) {
    const char* value = std::getenv(name);
    before_.try_emplace(name, value != nullptr ? std::optional<std::string>(value) : std::nullopt);
  }
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(HubSettingsTest, Defaults) {
  const HubSettings settings = hub_settings();
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.token, "");
  EXPECT_FALSE(settings.offline);
  EXPECT_TRUE(settings.progress_bars);
  EXPECT_EQ(settings.metadata_seconds, 10);
  EXPECT_EQ(settings.download_seconds, 10);
}

TEST_F(HubSettingsTest, Variables) {
  set("HF_ENDPOINT", "http://mirror.example/hf//");
  set("HF_TOKEN", " hf_abc\n");
  set("HF_HUB_OFFLINE", "True");
  set("HF_HUB_DISABLE_PROGRESS_BARS", "1");
  set("HF_HUB_ETAG_TIMEOUT", "3");
  const HubSettings settings = hub_settings();
  EXPECT_EQ(settings.endpoint, "http://mirror.example/hf");
  EXPECT_EQ(settings.token, "hf_abc");
  EXPECT_TRUE(settings.offline);
  EXPECT_FALSE(settings.progress_bars);
  EXPECT_EQ(settings.metadata_seconds, 3);
  set("HF_HUB_OFFLINE", "0");
  EXPECT_FALSE(hub_settings().offline);
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_EQ(hub_settings().token, "");
}

TEST_F(HubSettingsTest, TokenFile) {
  const std::string path = testing::TempDir() + "/openclip_token";
  write_file_atomic(path, "hf_file\n");
  set("HF_TOKEN_PATH", path);
  EXPECT_EQ(hub_settings().token, "hf_file");
  set("HF_TOKEN", "hf_env");
  EXPECT_EQ(hub_settings().token, "hf_env");
}

TEST_F(HubSettingsTest, RefusesNonsense) {
  set("HF_TOKEN", "a\nX-Evil: 1");
  EXPECT_THROW(hub_settings(), InvalidArgument);
  set("HF_TOKEN", "a");
  for (const char* bad : {"-1", "soon", "1.5", "99999999999"}) {
    set("HF_HUB_DOWNLOAD_TIMEOUT", bad);
    EXPECT_THROW(hub_settings(), InvalidArgument) << bad;
  }
}

TEST_F(HubSettingsTest, PathsExpandAsInPython) {
  set("HOME", "/home/me");
  set("OPENCLIP_TEST_DIR", "/data");
  EXPECT_EQ(expand_path("~/x"), "/home/me/x");
  EXPECT_EQ(expand_path("~"), "/home/me");
  EXPECT_EQ(expand_path("a~/x"), "a~/x");
  EXPECT_EQ(expand_path("$OPENCLIP_TEST_DIR/x"), "/data/x");
  EXPECT_EQ(expand_path("/a/${OPENCLIP_TEST_DIR}y"), "/a//datay");
  EXPECT_EQ(expand_path("$OPENCLIP_ABSENT/x$"), "$OPENCLIP_ABSENT/x$");
  EXPECT_EQ(expand_path("${OPENCLIP_TEST_DIR"), "${OPENCLIP_TEST_DIR");
}

}  // namespace
}  // namespace openclip
