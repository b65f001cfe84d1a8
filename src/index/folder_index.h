// An index in a folder: a vector file, searched exactly or by a graph, and SQLite for what is known
// of its items. Rank 4.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "index/exact_search.h"
#include "index/folder_files.h"
#include "index/graph.h"
#include "index/index.h"
#include "index/vector_file.h"

namespace openclip {

class FolderIndex final : public Index {
 public:
  /// Throws: as open_index.
  explicit FolderIndex(const std::string& folder);

  const IndexSpace& space() const override { return space_; }
  int64_t size() const override;
  std::optional<GraphQuality> graph() const override;
  std::vector<std::vector<Hit>> search(const Context& context, std::span<const float> queries,
                                       const IndexQuery& query) const override;
  std::vector<std::optional<Item>> items(std::span<const int64_t> ids) const override;
  std::vector<Item> items_after(int64_t after, size_t count) const override;
  std::vector<float> vectors(std::span<const int64_t> ids) const override;
  std::optional<int64_t> find_path(std::string_view path) const override;
  void refresh() override;

 private:
  // What a commit left; searches share it while a newer one is taken up.
  struct Snapshot {
    VectorFile file;
    SlotSet live;
    bool all_live = false;
    int64_t size = 0;
    std::shared_ptr<const Graph> graph{};  // of the first slots; null = none
  };

  std::shared_ptr<const Snapshot> snapshot() const;
  void load();  // needs mutex_
  static std::vector<std::vector<SlotHit>> search_graph(const Context& context,
                                                        const Snapshot& snapshot,
                                                        std::span<const float> queries,
                                                        const IndexQuery& query,
                                                        const SlotSet* allowed);
  SlotSet allowed_slots(const Snapshot& snapshot, const IndexQuery& query) const;

  std::string folder_;
  mutable std::mutex mutex_;  // of what follows
  mutable Database db_;
  IndexSpace space_;
  std::string stamp_;  // of the state that was loaded
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace openclip
