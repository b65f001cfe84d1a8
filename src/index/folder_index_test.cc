#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "index/index.h"
#include "index/index_writer.h"
#include "index/test_util.h"

namespace openclip {
namespace {

using testing::ElementsAre;

constexpr int64_t kFolderDim = 16;
const IndexSpace kFolderSpace{"tiny", "key", kFolderDim, DType::f32};

// Items 0, 1, … with path "p0", "p1", … and the vectors of unit_rows(…, 1).
class FolderIndexTest : public testing::Test {
 protected:
  std::string place() const { return folder_.path() + "/i"; }

  void put(IndexWriter& writer, size_t number, Json fields = Json::object()) {
    Item item{0, "p" + std::to_string(number), "title " + std::to_string(number)};
    item.fields = std::move(fields);
    writer.put(item, {"source", "hash" + std::to_string(number), 5, 6}, vector(number));
  }

  std::vector<float> vector(size_t number) const {
    return {rows_.begin() + static_cast<long>(number * kFolderDim),
            rows_.begin() + static_cast<long>((number + 1) * kFolderDim)};
  }

  // Paths of the hits.
  std::vector<std::string> paths(const Index& index, size_t number, IndexQuery query) const {
    std::vector<int64_t> ids;
    const auto found = index.search(Context(2), vector(number), query);
    for (const Hit& hit : found[0]) ids.push_back(hit.id);
    std::vector<std::string> paths;
    for (const auto& item : index.items(ids)) paths.push_back(item ? item->path : "(none)");
    return paths;
  }

  TemporaryFolder folder_;
  std::vector<float> rows_ = unit_rows(600, kFolderDim, 1);
};

TEST_F(FolderIndexTest, WhatWasCommittedIsFound) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  for (size_t i = 0; i < 300; ++i) put(*writer, i, {{"n", i}});
  writer->commit();
  const auto index = open_index(place());
  EXPECT_EQ(index->size(), 300);
  EXPECT_EQ(index->space().model, "tiny");
  EXPECT_THAT(paths(*index, 42, {.k = 1}), ElementsAre("p42"));
  const auto id = index->find_path("p42");
  ASSERT_TRUE(id);
  const auto item = index->items(std::vector<int64_t>{*id})[0];
  ASSERT_TRUE(item);
  EXPECT_EQ(item->title, "title 42");
  EXPECT_EQ(item->fields["n"], 42);
  const std::vector<float> got = index->vectors(std::vector<int64_t>{*id});
  for (size_t j = 0; j < got.size(); ++j) EXPECT_NEAR(got[j], vector(42)[j], 1e-6);
  EXPECT_FALSE(index->find_path("p999"));
  EXPECT_FALSE(index->items(std::vector<int64_t>{12345})[0]);
  const std::vector<Item> all = index->items_after(0, 1000);
  EXPECT_EQ(static_cast<int64_t>(all.size()), index->size());
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(index->items_after(all[0].id, 1).at(0).id, all[1].id);
  EXPECT_TRUE(index->items_after(all.back().id, 5).empty());
  EXPECT_THROW(index->vectors(std::vector<int64_t>{12345}), NotFound);
}

TEST_F(FolderIndexTest, WhatWasNotCommittedIsLostAndLeavesNoTrace) {
  {
    const auto writer = open_index_writer(place(), kFolderSpace);
    put(*writer, 0);
    writer->commit();
    put(*writer, 1);
    writer->remove(writer->find("p0")->id);
  }
  EXPECT_EQ(open_index(place())->size(), 1);
  const auto writer = open_index_writer(place(), kFolderSpace);
  EXPECT_EQ(writer->size(), 1);
  EXPECT_FALSE(writer->find("p1"));
  put(*writer, 2);
  writer->commit();
  EXPECT_THAT(paths(*open_index(place()), 2, {.k = 5}), testing::UnorderedElementsAre("p2", "p0"));
}

TEST_F(FolderIndexTest, ChangedItemsKeepTheirIdAndOldVectorsAreGone) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  for (size_t i = 0; i < 3; ++i) put(*writer, i);
  writer->commit();
  const auto index = open_index(place());
  const int64_t id = *index->find_path("p1");
  Item item{0, "p1", "new"};
  EXPECT_EQ(writer->put(item, {"source", "new hash", 1, 2}, vector(500)), id);
  writer->remove(*index->find_path("p2"));
  writer->commit();
  EXPECT_EQ(index->size(), 3);  // until it is asked to look
  index->refresh();
  EXPECT_EQ(index->size(), 2);
  EXPECT_THAT(paths(*index, 500, {.k = 9}), ElementsAre("p1", "p0"));
  EXPECT_EQ(index->items(std::vector<int64_t>{id})[0]->title, "new");
  EXPECT_EQ(writer->find("p1")->origin.hash, "new hash");
  EXPECT_EQ(open_index(place())->size(), 2);
}

TEST_F(FolderIndexTest, ContentIsFoundBeforeAndAfterTheCommit) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  put(*writer, 0);
  put(*writer, 7);
  for (int pass = 0; pass < 2; ++pass) {
    const auto found = writer->find_content("hash7");
    ASSERT_TRUE(found);
    for (size_t j = 0; j < found->size(); ++j) EXPECT_NEAR((*found)[j], vector(7)[j], 1e-6);
    EXPECT_FALSE(writer->find_content("hash8"));
    EXPECT_FALSE(writer->find_content(""));
    writer->commit();
  }
}

TEST_F(FolderIndexTest, SourcesKnowTheirItemsAndStamps) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  put(*writer, 0);
  Item item{0, "other", ""};
  const int64_t other = writer->put(item, {"another", "h", 1, 1}, vector(1));
  EXPECT_THAT(writer->ids_of("another"), ElementsAre(other));
  EXPECT_EQ(writer->ids_of("source").size(), 1u);
  EXPECT_TRUE(writer->ids_of("unknown").empty());
  EXPECT_EQ(writer->stamp("another"), "");
  writer->set_stamp("another", "done");
  writer->commit();
  EXPECT_EQ(writer->stamp("another"), "done");
}

TEST_F(FolderIndexTest, ConditionsAndExclusions) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  put(*writer, 0, {{"price", 10}, {"brand", "Acme"}, {"tags", {"red", "long"}}});
  put(*writer, 1, {{"price", 20.5}, {"brand", "Acme"}, {"sold", true}});
  put(*writer, 2, {{"price", "cheap"}, {"brand", "Bolt"}, {"tags", {"blue"}}});
  put(*writer, 3, {{"brand", "12"}});
  writer->commit();
  const auto index = open_index(place());
  const auto found = [&](const char* condition) {
    std::vector<std::string> found =
        paths(*index, 9, {.k = 9, .where = {parse_condition(condition)}});
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_THAT(found("price < 20"), ElementsAre("p0"));
  EXPECT_THAT(found("price >= 10"), ElementsAre("p0", "p1"));  // a text is not above a number
  EXPECT_THAT(found("price=20.5"), ElementsAre("p1"));
  EXPECT_THAT(found("price = cheap"), ElementsAre("p2"));
  EXPECT_THAT(found("brand = Acme"), ElementsAre("p0", "p1"));
  EXPECT_THAT(found("brand != Acme"), ElementsAre("p2", "p3"));
  EXPECT_THAT(found("brand ~ acm"), ElementsAre("p0", "p1"));
  EXPECT_THAT(found("brand = \"12\""), ElementsAre("p3"));
  EXPECT_THAT(found("brand = 12"), ElementsAre());
  EXPECT_THAT(found("tags = red"), ElementsAre("p0"));
  EXPECT_THAT(found("tags != red"), ElementsAre("p1", "p2", "p3"));
  EXPECT_THAT(found("sold = true"), ElementsAre("p1"));
  EXPECT_THAT(found("title = title 3"), ElementsAre("p3"));
  EXPECT_THAT(found("path > p1"), ElementsAre("p2", "p3"));
  EXPECT_THAT(found("nothing = 1"), ElementsAre());
  EXPECT_THAT(found("x' OR 1=1 --"), ElementsAre());
  const IndexQuery both{.k = 9,
                        .where = {parse_condition("brand = Acme"), parse_condition("price < 15")}};
  EXPECT_THAT(paths(*index, 9, both), ElementsAre("p0"));
  const IndexQuery without{.k = 9, .exclude = {*index->find_path("p0"), 777}};
  EXPECT_EQ(paths(*index, 0, without).size(), 3u);
}

TEST_F(FolderIndexTest, RefusesOtherModelsOtherWritersAndNoIndex) {
  const auto writer = open_index_writer(place(), kFolderSpace);
  EXPECT_THROW(open_index_writer(place(), kFolderSpace), IoError);  // busy
  EXPECT_THROW(open_index(folder_.path()), NotFound);
  put(*writer, 0);
  EXPECT_THROW(writer->put({}, {}, std::vector<float>(3)), InvalidArgument);
}

TEST_F(FolderIndexTest, RefusesOtherModels) {
  open_index_writer(place(), kFolderSpace).reset();
  IndexSpace other = kFolderSpace;
  other.model_key = "another";
  EXPECT_THROW(open_index_writer(place(), other), InvalidArgument);
  other = kFolderSpace;
  other.dim = 8;
  EXPECT_THROW(open_index_writer(place(), other), InvalidArgument);
}

TEST_F(FolderIndexTest, RefusesDamage) {
  open_index_writer(place(), kFolderSpace).reset();
  std::filesystem::resize_file(place() + "/vectors.ocv", 10);
  EXPECT_THROW(open_index(place()), ParseError);
  std::ofstream(place() + "/index.sqlite", std::ios::trunc) << "not a database, but long enough";
  EXPECT_THROW(open_index(place()), ParseError);
}

TEST(ConditionTest, Parses) {
  EXPECT_EQ(parse_condition(" a b <=  3 ").field, "a b");
  EXPECT_EQ(parse_condition("a<=3").value, 3);
  EXPECT_EQ(parse_condition("a=-1.5").value, -1.5);
  EXPECT_EQ(parse_condition("a=3 apples").value, "3 apples");
  EXPECT_EQ(parse_condition("a=\"3\"").value, "3");
  EXPECT_EQ(parse_condition("a~3").value, "3");
  EXPECT_EQ(parse_condition("a=").value, "");
  for (const char* bad : {"", "a", "=3", " < 3", "\"a\" = 3"})
    EXPECT_THROW(parse_condition(bad), InvalidArgument) << bad;
}

}  // namespace
}  // namespace openclip
