// Against the server that OPENCLIP_TEST_POSTGRES names, whose database is emptied each time;
// without it these tests are skipped. tests/e2e/postgres_test.py starts one and runs them.
#include "index/postgres.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "index/check.h"
#include "index/graph_build.h"
#include "index/index.h"
#include "index/index_writer.h"
#include "index/test_util.h"

namespace openclip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kPostgresDim = 16;
const IndexSpace kPostgresSpace{"tiny", "key", kPostgresDim, DType::f32};

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* url = getenv("OPENCLIP_TEST_POSTGRES");
    if (url == nullptr) GTEST_SKIP() << "OPENCLIP_TEST_POSTGRES names no server";
    place_ = url;
    PgConnection session(place_);
    session.run("DROP TABLE IF EXISTS openclip_items, openclip_sources, openclip_state");
  }

  static Item item(size_t number, Json fields = Json::object()) {
    Item item{0, "p" + std::to_string(number), "title " + std::to_string(number)};
    item.fields = std::move(fields);
    return item;
  }
  std::span<const float> vector(size_t number) const {
    return std::span(rows_).subspan(number * kPostgresDim, kPostgresDim);
  }
  int64_t put(IndexWriter& writer, size_t number, Json fields = Json::object()) {
    return writer.put(item(number, std::move(fields)),
                      {"source", "hash" + std::to_string(number), 5, 6}, vector(number));
  }

  // Paths of the hits.
  std::vector<std::string> paths(const Index& index, size_t number, const IndexQuery& query) const {
    std::vector<int64_t> ids;
    const auto found = index.search(Context(1), vector(number), query);
    for (const Hit& hit : found[0]) ids.push_back(hit.id);
    std::vector<std::string> paths;
    for (const auto& item : index.items(ids)) paths.push_back(item ? item->path : "(none)");
    return paths;
  }

  std::string place_;
  std::vector<float> rows_ = unit_rows(600, kPostgresDim, 1);
};

TEST_F(PostgresTest, AnswersAsAFolderDoes) {
  const TemporaryFolder folder;
  const std::string place = folder.path() + "/i";
  const Json fields[] = {{{"price", 3}, {"tags", {"red", "round"}}, {"new", true}},
                         {{"price", 20.5}, {"tags", {"blue"}}, {"new", false}},
                         {{"price", "20"}, {"tags", "red"}},
                         Json::object()};
  for (const std::string& store : {place, place_}) {
    const auto writer = open_index_writer(store, kPostgresSpace);
    for (size_t i = 0; i < 300; ++i) put(*writer, i, fields[i % 4]);
    writer->commit();
    EXPECT_EQ(writer->size(), 300);
  }
  const auto files = open_index(place), database = open_index(place_);
  EXPECT_EQ(database->size(), 300);
  EXPECT_EQ(database->space().model, "tiny");
  for (const char* condition :
       {"price < 20", "price >= 3", "price = 20", "price != 3", "price = \"20\"", "tags = red",
        "tags ~ E", "new = true", "new = 1", "new != true", "title = \"title 8\"", "id < 50",
        "path ~ 7", "path > p5", "missing = 1", "missing != 1", "title < 5"}) {
    const IndexQuery query{.k = 300, .where = {parse_condition(condition)}};
    EXPECT_EQ(paths(*database, 550, query), paths(*files, 550, query)) << condition;
  }
  const std::vector<int64_t> some{3, 17, 200};
  const IndexQuery excluding{.k = 20, .exclude = some};
  EXPECT_EQ(paths(*database, 16, excluding), paths(*files, 16, excluding));
  const auto a = files->search(
      Context(1), std::span(rows_).subspan(500 * kPostgresDim, 4 * kPostgresDim), {.k = 7});
  const auto b = database->search(
      Context(1), std::span(rows_).subspan(500 * kPostgresDim, 4 * kPostgresDim), {.k = 7});
  ASSERT_EQ(b.size(), 4u);
  for (size_t q = 0; q < 4; ++q)
    for (size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(a[q][i].id, b[q][i].id);
      EXPECT_NEAR(a[q][i].score, b[q][i].score, 1e-6);
    }
  EXPECT_EQ(files->vectors(some), database->vectors(some));
  EXPECT_EQ(database->items_after(298, 9).size(), 2u);
  EXPECT_EQ(database->items(some)[1]->fields, fields[0]);
  EXPECT_FALSE(database->items(std::vector<int64_t>{999})[0]);
  EXPECT_THROW(database->vectors(std::vector<int64_t>{999}), NotFound);
}

TEST_F(PostgresTest, ChangesAndRemovals) {
  const auto writer = open_index_writer(place_, kPostgresSpace);
  for (size_t i = 0; i < 5; ++i) put(*writer, i);
  const int64_t id = writer->find("p3")->id;
  EXPECT_EQ(writer->find("p3")->origin.hash, "hash3");
  EXPECT_EQ(writer->find("p3")->fields, "{}");
  EXPECT_EQ(writer->put(item(3, {{"n", 1}}), {"source", "other", 7, 8}, vector(99)), id);
  EXPECT_EQ(writer->find("p3")->fields, fields_text(item(3, {{"n", 1}})));
  writer->remove(writer->find("p0")->id);
  EXPECT_EQ(writer->size(), 4);
  EXPECT_EQ(writer->ids_of("source").size(), 4u);
  EXPECT_FALSE(writer->find_content("hash3"));
  EXPECT_TRUE(writer->find_content("other"));
  EXPECT_EQ(writer->stamp("source"), "");
  writer->set_stamp("source", "s1");
  EXPECT_EQ(writer->stamp("source"), "s1");
  writer->commit();
  const auto index = open_index(place_);
  EXPECT_THAT(paths(*index, 99, {.k = 1}), ElementsAre("p3"));
  EXPECT_EQ(check_index(place_, [](const std::string&) {}), 0);
  PgConnection(place_).run("UPDATE openclip_items SET vector = vector + vector WHERE path = 'p3'");
  std::string fault;
  EXPECT_EQ(check_index(place_, [&](const std::string& text) { fault = text; }), 1);
  EXPECT_THAT(fault, HasSubstr("(p3)"));
}

TEST_F(PostgresTest, SeveralWritersButOneForASource) {
  const auto a = open_index_writer(place_, kPostgresSpace),
             b = open_index_writer(place_, kPostgresSpace);
  a->put(item(1), {"one", "", 0, 0}, vector(1));
  b->put(item(2), {"two", "", 0, 0}, vector(2));
  EXPECT_EQ(open_index(place_)->size(), 2);
  EXPECT_THROW(b->put(item(3), {"one", "", 0, 0}, vector(3)), IoError);
  EXPECT_THROW(open_index_writer(place_, {"other", "other key", kPostgresDim, DType::f32}),
               InvalidArgument);
  EXPECT_THROW(open_index_writer(place_, {"tiny", "key", kPostgresDim + 1, DType::f32}),
               InvalidArgument);
}

TEST_F(PostgresTest, NamesThatAreNoText) {
  const auto writer = open_index_writer(place_, kPostgresSpace);
  Item odd{0, std::string("a\xffz\0", 4), "\xc3\xa4"};
  odd.fields = {{"k", std::string("x\0y\\", 4)}};
  writer->put(odd, {"s", "", 0, 0}, vector(1));
  ASSERT_TRUE(writer->find(odd.path));
  const auto index = open_index(place_);
  const auto found = index->items_after(0, 1);
  EXPECT_EQ(found[0].path, "a\\xffz\\x00");
  EXPECT_EQ(found[0].title, "\xc3\xa4");
  EXPECT_EQ(paths(*index, 1, {.k = 1, .where = {parse_condition("k ~ x")}}).size(), 1u);
}

TEST_F(PostgresTest, HalfPrecision) {
  {
    const auto writer = open_index_writer(place_, {"", "", kPostgresDim, DType::f16});
    for (size_t i = 0; i < 50; ++i) put(*writer, i);
    writer->commit();
  }
  const auto index = open_index(place_);
  EXPECT_EQ(index->space().dtype, DType::f16);
  const auto hits = index->search(Context(1), vector(7), {.k = 1})[0];
  EXPECT_EQ(index->items(std::vector<int64_t>{hits[0].id})[0]->path, "p7");
  EXPECT_NEAR(hits[0].score, 1, 1e-3);  // 2^-11 for each factor
}

TEST_F(PostgresTest, GraphFindsWhatItSays) {
  {
    const auto writer = open_index_writer(place_, kPostgresSpace);
    for (size_t i = 0; i < 500; ++i) put(*writer, i);
    writer->commit();
  }
  EXPECT_FALSE(open_index(place_)->graph());
  const GraphReport report = build_index_graph(Context(1), place_, {});
  EXPECT_EQ(report.nodes, 500);
  EXPECT_GE(report.quality.recall, 0.97f);
  const auto index = open_index(place_);
  ASSERT_TRUE(index->graph());
  EXPECT_EQ(index->graph()->width, report.quality.width);
  size_t found = 0;
  for (size_t q = 500; q < 600; ++q) {
    const auto exact = paths(*index, q, {.exact = true}), by_graph = paths(*index, q, {});
    for (const std::string& path : exact)
      found += std::count(by_graph.begin(), by_graph.end(), path) > 0;
  }
  EXPECT_GE(found, 950u);
  EXPECT_THROW(build_index_graph(Context(1), place_, {.links = 101}), InvalidArgument);
}

TEST_F(PostgresTest, RefusesWithOneLine) {
  EXPECT_THROW(open_index(place_), NotFound);
  EXPECT_THROW(open_index_writer(place_, {"", "", kPostgresDim, DType::i8}), InvalidArgument);
}

TEST(PostgresServerTest, NoServerAndNoPassword) {
  try {
    open_index("postgresql://me:secret@localhost:1/shop");
    FAIL();
  } catch (const IoError& error) {
    EXPECT_THAT(error.what(), HasSubstr("postgresql://me@localhost:1/shop: "));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace openclip
