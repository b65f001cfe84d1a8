#include "io/hub/url_file.h"

#include <gtest/gtest.h>

namespace openclip {
namespace {

TEST(UrlFileTest, ChecksumsStandInTheAddress) {
  const std::string sha256(64, 'a');
  const Checksum whole =
      url_checksum("https://openaipublic.azureedge.net/clip/models/" + sha256 + "/ViT-B-32.pt");
  EXPECT_EQ(whole.kind, Checksum::Kind::sha256);
  EXPECT_EQ(whole.digits, sha256);
  EXPECT_EQ(url_checksum("https://github.com/mlfoundations/open_clip/releases/download/"
                         "v0.2-weights/vit_b_32-laion2b_e16-af8dbd0c.pth")
                .digits,
            "af8dbd0c");
  EXPECT_EQ(url_checksum("https://dl.fbaipublicfiles.com/MMPT/metaclip/b32_400m.pt").kind,
            Checksum::Kind::none);
  EXPECT_EQ(url_checksum("https://github.com/mlfoundations/x/plain.pth").kind,
            Checksum::Kind::none);
}

TEST(UrlFileTest, FilesGoWhereOpenClipLooks) {
  EXPECT_TRUE(url_cache_path("https://a.example/b/c.pt").ends_with("/.cache/clip/c.pt"));
  for (const char* bad :
       {"https://a.example/", "https://a.example/..", "https://a.example/a%2F..?x"})
    EXPECT_THROW(url_cache_path(bad), InvalidArgument) << bad;
}

}  // namespace
}  // namespace openclip
