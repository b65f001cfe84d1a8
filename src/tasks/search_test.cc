#include "tasks/search.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "index/index_writer.h"

namespace openclip {
namespace {

using testing::ElementsAre;

// Four directions and near-copies of the first.
class SearchTest : public testing::Test {
 protected:
  SearchTest() {
    std::string pattern = testing::TempDir() + "/openclip_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const auto writer = open_index_writer(folder_, {"", "", 4, DType::f32});
    const std::vector<std::vector<float>> rows{
        {1, 0, 0, 0}, {0, 1, 0, 0},  {0, 0, 1, 0},       {1, 0.01f, 0, 0}, {1, 0, 0.02f, 0},
        {1, 1, 0, 0}, {-1, 0, 0, 0}, {0.6f, 0, 0, 0.8f}, {1, 0, 0, 0.5f}};
    for (size_t i = 0; i < rows.size(); ++i)
      writer->put({0, fmt::format("p{}", i + 1), ""}, {"s", "", 0, 0}, rows[i]);
    writer->commit();
  }
  ~SearchTest() override { std::filesystem::remove_all(folder_); }

  std::vector<int64_t> ids(const SearchRequest& request) const {
    std::vector<int64_t> ids;
    for (const SearchHit& hit : searcher().search(request)) ids.push_back(hit.item.id);
    return ids;
  }

  Searcher searcher() const { return {Context(1), open_index(folder_), nullptr, nullptr}; }

  static std::vector<QueryTerm> vector_term(std::vector<float> vector) {
    std::vector<QueryTerm> terms(1);
    terms[0].what = std::move(vector);
    return terms;
  }

  std::string folder_;
};

TEST_F(SearchTest, ItemsOfTheQueryAreNotFound) {
  EXPECT_THAT(ids({.terms = recommendation(std::vector<int64_t>{1}, {}), .k = 3}),
              ElementsAre(4, 5, 9));
}

TEST_F(SearchTest, LikesMinusHalfTheDislikes) {
  const auto terms = recommendation(std::vector<int64_t>{1, 2}, std::vector<int64_t>{3});
  const std::vector<float> query = searcher().query_vector(terms);
  const float length = std::sqrt(0.75f);  // (1/2, 1/2, -1/2, 0)
  EXPECT_THAT(query, testing::Pointwise(
                         testing::FloatNear(1e-6f),
                         std::vector<float>{0.5f / length, 0.5f / length, -0.5f / length, 0}));
}

TEST_F(SearchTest, TermsAreUnitVectorsTimesTheirWeights) {
  std::vector<QueryTerm> terms = vector_term({10, 0, 0, 0});
  terms.push_back(vector_term({0, 0.1f, 0, 0})[0]);
  terms[1].weight = -2;
  const float length = std::sqrt(5.0f);
  EXPECT_THAT(searcher().query_vector(terms),
              testing::Pointwise(testing::FloatNear(1e-6f),
                                 std::vector<float>{1 / length, -2 / length, 0, 0}));
}

TEST_F(SearchTest, CutIsRelativeToTheBest) {
  SearchRequest request{.terms = vector_term({1, 0, 0, 0}), .k = 9};
  request.relative_cut = 0.7;  // cosines are 1, 1, 1, 0.894, 0.707, 0.6, 0, 0, -1
  EXPECT_THAT(ids(request), ElementsAre(1, 4, 5, 9, 6));
  request.relative_cut = 0.8;
  EXPECT_THAT(ids(request), ElementsAre(1, 4, 5, 9));
  request.relative_cut = 1;
  EXPECT_THAT(ids(request), ElementsAre(1));
}

TEST_F(SearchTest, NearDuplicatesAreFoldedAndOthersMoveUp) {
  SearchRequest request{.terms = vector_term({1, 0, 0, 0}), .k = 3};
  request.fold = 0.99;
  const std::vector<SearchHit> hits = searcher().search(request);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].item.id, 1);
  EXPECT_THAT(hits[0].folded, ElementsAre(4, 5));
  EXPECT_EQ(hits[1].item.id, 9);
  EXPECT_EQ(hits[2].item.id, 6);
  EXPECT_TRUE(hits[1].folded.empty());
}

TEST_F(SearchTest, RefusesWhatCannotBeAsked) {
  EXPECT_THROW(ids({.terms = {}}), InvalidArgument);
  std::vector<QueryTerm> text(1);
  text[0].what = std::string("cat");
  EXPECT_THROW(ids({.terms = text}), InvalidArgument);  // no model
  EXPECT_THROW(ids({.terms = recommendation(std::vector<int64_t>{99}, {})}), NotFound);
  EXPECT_THROW(ids({.terms = vector_term({1, 0})}), InvalidArgument);
  std::vector<QueryTerm> opposite = vector_term({1, 0, 0, 0});
  opposite.push_back(vector_term({-1, 0, 0, 0})[0]);
  EXPECT_THROW(ids({.terms = opposite}), InvalidArgument);  // cancels out
  SearchRequest request{.terms = vector_term({1, 0, 0, 0})};
  request.fold = 1.5;
  EXPECT_THROW(ids(request), InvalidArgument);
}

TEST(SameSpaceTest, NamesBothModels) {
  const IndexSpace index{"ViT-B-32", "a", 512, DType::f32};
  EXPECT_NO_THROW(check_same_space("i", index, {"anything", "a", 512, DType::f32}));
  EXPECT_THROW(check_same_space("i", index, {"ViT-B-16", "b", 512, DType::f32}), InvalidArgument);
  EXPECT_THROW(check_same_space("i", index, {"ViT-B-32", "a", 256, DType::f32}), InvalidArgument);
  const IndexSpace unknown{"", "", 512, DType::f32};
  EXPECT_NO_THROW(check_same_space("i", unknown, {"anything", "b", 512, DType::f32}));
  EXPECT_THROW(check_same_space("i", unknown, {"anything", "b", 256, DType::f32}), InvalidArgument);
}

TEST(ParseQueryTest, TermsWithWeights) {
  const auto terms = parse_query(R"(-2 "a \"b\" \\ c" + id:17 - 0.5*"x"+.25 id:3)", false);
  ASSERT_EQ(terms.size(), 4u);
  EXPECT_EQ(std::get<std::string>(terms[0].what), "a \"b\" \\ c");
  EXPECT_EQ(terms[0].weight, -2);
  EXPECT_EQ(std::get<int64_t>(terms[1].what), 17);
  EXPECT_EQ(terms[1].weight, 1);
  EXPECT_EQ(terms[2].weight, -0.5);
  EXPECT_EQ(terms[3].weight, 0.25);
}

TEST(ParseQueryTest, Refuses) {
  for (const char* bad : {"", "cat", "\"a", "\"\"", "\"a\" +", "\"a\" \"b\"", "id:x", "2",
                          "image:", "\"a\" * 2", "1e999 \"a\""})
    EXPECT_THROW(parse_query(bad, true), InvalidArgument) << bad;
  EXPECT_THROW(parse_query("image:/etc/passwd", false), InvalidArgument);
  EXPECT_THROW(parse_query("image:/nowhere.png", true), NotFound);
}

}  // namespace
}  // namespace openclip
