// Search in an index by texts, pictures and items of the index, weighted as the user likes. Rank 5.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "index/index.h"
#include "models/factory.h"

namespace openclip {

/// A picture file's bytes; `name` is for errors.
struct ImageBytes {
  std::string name;
  std::vector<uint8_t> bytes;
};

/// One part of what is searched for: a text, a picture, the id of an item, or a vector.
struct QueryTerm {
  std::variant<std::string, ImageBytes, int64_t, std::vector<float>> what;
  double weight = 1;  // negative: away from it
};

struct SearchRequest {
  std::vector<QueryTerm> terms;
  size_t k = 10;
  std::vector<Condition> where{};  // all must hold
  /// Hits whose score is below this part of the best one's are cut off; 0 = none. "Only what is
  /// nearly as good" needs no threshold that depends on the model.
  double relative_cut = 0;
  /// Hits whose cosine with a better hit is at least this are folded into it; 0 = none. Copies of a
  /// picture in other sizes are at 0.95 and more.
  double fold = 0;
  bool exact = false;  // past a graph, see IndexQuery
  size_t width = 0;
};

struct SearchHit {
  Item item;
  float score = 0;              // cosine with the query
  std::vector<int64_t> folded;  // ids of near-duplicates that are not listed, best first
};

/// Which space the vectors of a model are of, for making and opening an index. Throws: NotFound if
/// the weights are missing; errors of reading.
IndexSpace space_of(const ModelSource& source, DType dtype = DType::f32);

/// Throws InvalidArgument in one line, naming both, unless vectors of `model` may be compared with
/// those of the index. An index of vectors of unknown origin takes every model of its size.
void check_same_space(const std::string& index_name, const IndexSpace& index,
                      const IndexSpace& model);

/// Likes and dislikes as terms: the mean of the likes minus half the mean of the dislikes.
std::vector<QueryTerm> recommendation(std::span<const int64_t> likes,
                                      std::span<const int64_t> dislikes);

/// Reads `"red dress" + 0.5 image:shoe.jpg - "sleeves" + 2 id:17`: terms joined by + and -, each
/// with an optional weight before it; texts in double quotes (\" and \\ within), paths with blanks
/// as image:"my shoe.jpg". Pictures are read from disk only if `read_images`, otherwise refused.
/// Throws: InvalidArgument naming the place; errors of reading.
std::vector<QueryTerm> parse_query(std::string_view expression, bool read_images);

/// An index with a model to ask it. Immutable, thread-safe.
class Searcher {
 public:
  /// model and tokenizer may be null; then texts and pictures are refused.
  Searcher(const Context& context, std::shared_ptr<const Index> index,
           std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer)
      : context_(context),
        index_(std::move(index)),
        model_(std::move(model)),
        tokenizer_(std::move(tokenizer)) {}

  const Index& index() const { return *index_; }

  /// sum of weight * unit vector of each term, scaled to length 1. [dim]
  /// Throws: InvalidArgument for no terms, a sum of nothing and terms that need a model where there
  /// is none; NotFound for an unknown id; ParseError for pictures that cannot be read.
  std::vector<float> query_vector(std::span<const QueryTerm> terms) const;

  /// The best hits, best first. Items that are terms of the query are not among them.
  /// Throws: as query_vector; InvalidArgument for cut or fold outside [0, 1].
  std::vector<SearchHit> search(const SearchRequest& request) const;

  /// The same for a vector of length 1 that was computed elsewhere; request.terms only says which
  /// items to leave out.
  std::vector<SearchHit> search(std::span<const float> query, const SearchRequest& request) const;

 private:
  std::vector<float> term_vector(const QueryTerm& term) const;

  Context context_;
  std::shared_ptr<const Index> index_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

}  // namespace openclip
