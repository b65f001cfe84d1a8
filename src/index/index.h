// An index: vectors of length 1, each with an id, a path and any fields, searched by inner product.
// It knows no model; whoever fills it says in a few words which space its vectors are of. Rank 4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/dtype.h"
#include "index/condition.h"
#include "io/json.h"

namespace openclip {

/// Which space the vectors are of, and how they are stored.
struct IndexSpace {
  std::string model;      // name for people; may be empty (vectors of unknown origin)
  std::string model_key;  // equal only for equal models; may be empty
  int64_t dim = 0;
  DType dtype = DType::f32;  // f32, f16 or i8
};

/// What the test at the end of building a graph measured.
struct GraphQuality {
  float recall = 0;    // part of the 10 nearest that a search finds
  uint32_t width = 0;  // of that search
};

/// What is known of a vector.
struct Item {
  int64_t id = 0;    // 1, 2, …; stays with the path while its content changes
  std::string path;  // of the picture; ARCHIVE/MEMBER for a member of a tar; unique
  std::string title;
  Json fields = Json::object();
};

struct Hit {
  int64_t id = 0;
  float score = 0;  // cosine
};

struct IndexQuery {
  size_t k = 10;
  std::vector<Condition> where{};  // all of them must hold
  std::vector<int64_t> exclude{};  // ids that are not wanted
  /// Looks at all vectors even where the index has a graph. Queries with conditions always do.
  bool exact = false;
  size_t width = 0;  // of a search in the graph; 0 = what its test found enough for k = 10
};

/// An index that is searched. Thread-safe.
class Index {
 public:
  virtual ~Index() = default;

  virtual const IndexSpace& space() const = 0;

  /// Number of items.
  virtual int64_t size() const = 0;

  /// Whether searches go through a graph, and with which quality; nullopt = all are exact.
  virtual std::optional<GraphQuality> graph() const { return std::nullopt; }

  /// The k best hits for each of queries [n, dim], best first.
  /// Throws: InvalidArgument; IoError.
  virtual std::vector<std::vector<Hit>> search(const Context& context,
                                               std::span<const float> queries,
                                               const IndexQuery& query) const = 0;

  /// What is known of each id; nullopt for ids that do not exist.
  virtual std::vector<std::optional<Item>> items(std::span<const int64_t> ids) const = 0;

  /// The first `count` items with an id above `after`, in the order of their ids.
  virtual std::vector<Item> items_after(int64_t after, size_t count) const = 0;

  /// The vectors [ids.size(), dim]. Throws: NotFound naming an id that does not exist.
  virtual std::vector<float> vectors(std::span<const int64_t> ids) const = 0;

  virtual std::optional<int64_t> find_path(std::string_view path) const = 0;

  /// Takes up what writers have committed since; searches that run go on with the old state.
  virtual void refresh() = 0;
};

/// Opens the index in a folder or a database (place.h) for searching.
/// Throws: NotFound if there is none; ParseError if it is damaged; IoError.
std::shared_ptr<Index> open_index(const std::string& place);

}  // namespace openclip
