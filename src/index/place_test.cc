#include "index/place.h"

#include <gtest/gtest.h>

namespace openclip {
namespace {

TEST(PlaceTest, FoldersAndDatabases) {
  EXPECT_TRUE(is_database("postgresql://host/shop"));
  EXPECT_TRUE(is_database("postgres:///shop"));
  EXPECT_FALSE(is_database("pictures.index"));
  EXPECT_FALSE(is_database("/tmp/postgresql://x"));
}

TEST(PlaceTest, PasswordsAreNotShown) {
  EXPECT_EQ(place_name("pictures.index"), "pictures.index");
  EXPECT_EQ(place_name("postgresql://host/shop"), "postgresql://host/shop");
  EXPECT_EQ(place_name("postgresql://me@host:5432/shop"), "postgresql://me@host:5432/shop");
  EXPECT_EQ(place_name("postgresql://me:secret@host:5432/shop"), "postgresql://me@host:5432/shop");
  EXPECT_EQ(place_name("postgresql://me:se@cret@host/shop"), "postgresql://me@host/shop");
  EXPECT_EQ(place_name("postgresql://host/shop?user=me&password=secret&sslmode=require"),
            "postgresql://host/shop?user=me&sslmode=require");
}

TEST(PlaceTest, Titles) {
  EXPECT_EQ(place_title("shop/pictures.index/"), "pictures");
  EXPECT_EQ(place_title("postgresql://me:secret@host/shop?sslmode=require"), "shop");
  EXPECT_EQ(place_title("postgresql://host"), "database");
}

}  // namespace
}  // namespace openclip
