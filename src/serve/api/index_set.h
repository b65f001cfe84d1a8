// The indices that are served. Rank 6.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "serve/api/backend.h"
#include "tasks/search.h"

namespace openclip {

struct NamedIndex {
  std::string name;
  std::shared_ptr<Index> index;
};

/// Indices by name, the first one for requests without a name. Thread-safe.
class IndexSet {
 public:
  IndexSet(const Context& context, const std::vector<NamedIndex>& indices);

  /// Takes up what was indexed meanwhile, at most every other second.
  /// Throws: CallError 404 for an unknown name, or where there is no index at all.
  const Searcher& find(const std::string& name) const;

  std::vector<std::string> names() const;
  bool empty() const { return served_.empty(); }

 private:
  struct Served {
    std::string name;
    std::shared_ptr<Index> index;
    Searcher searcher;
    std::atomic<Clock::rep> next_refresh{0};
  };
  std::vector<std::unique_ptr<Served>> served_;
};

/// The vector of length 1 of a query's terms; texts and pictures are computed together with those
/// of other requests. Throws: as Searcher::query_vector and embed_inputs.
std::vector<float> query_vector(const Call& call, Backend& backend, const Searcher& searcher,
                                std::vector<QueryTerm> terms);

/// "/pictures/17", with ?index=NAME unless it is the first one.
std::string picture_path(const IndexSet& indices, const std::string& index, int64_t id);

}  // namespace openclip
