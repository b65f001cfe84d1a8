#include "index/graph_build.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "index/folder_files.h"
#include "index/top_k.h"
#include "kernels/similarity.h"

namespace openclip {
namespace {

constexpr uint64_t kMaxNodes = 0xFFFFFFF0;
constexpr uint32_t kHighestLevel = 30;

// Held for the time that a list is rewritten.
class SpinLock {
 public:
  explicit SpinLock(std::atomic<uint8_t>& flag) : flag_(flag) {
    while (flag_.exchange(1, std::memory_order_acquire) != 0) std::this_thread::yield();
  }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;
  ~SpinLock() { flag_.store(0, std::memory_order_release); }

 private:
  std::atomic<uint8_t>& flag_;
};

// Uniform in (0, 1], a function of the node.
double uniform(uint64_t node) {
  uint64_t x = (node + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53 + 0x1p-54;
}

class Builder {
 public:
  Builder(const VectorFile& file, const GraphOptions& options)
      : file_(file),
        options_(options),
        dim_(static_cast<size_t>(file.format().dim)),
        count_(static_cast<uint32_t>(file.slots())),
        levels_(count_),
        base_(size_t{count_} * 2 * options.links, kNoNode),
        offsets_(count_, kNoNode),
        locks_(std::make_unique<std::atomic<uint8_t>[]>(count_)) {
    const double scale = 1 / std::log(static_cast<double>(options.links));
    uint32_t lists = 0;
    for (uint32_t node = 0; node < count_; ++node) {
      levels_[node] =
          static_cast<uint8_t>(std::min<double>(kHighestLevel, -std::log(uniform(node)) * scale));
      if (levels_[node] > levels_[view_.entry]) view_.entry = node;
      if (levels_[node] > 0) offsets_[node] = lists;
      lists += levels_[node];
    }
    upper_.assign(size_t{lists} * options.links, kNoNode);
    view_.count = count_;
    view_.links = options.links;
    view_.max_level = count_ > 0 ? levels_[view_.entry] : 0;
    view_.base = base_.data();
    view_.offsets = offsets_.data();
    view_.upper = upper_.data();
    view_.upper_lists = lists;
  }

  const GraphView& view() const { return view_; }

  /// Inserts the nodes that are not in `left_out`.
  void run(const Context& context, const SlotSet& left_out,
           const std::function<void(int64_t)>& on_progress) {
    std::atomic<uint32_t> next{0};
    const auto threads = static_cast<size_t>(context.threads());
    parallel_for(context.threads(), threads, 1, [&](size_t, size_t, int worker) {
      GraphScratch scratch(count_);
      std::vector<float> vector(dim_);
      for (uint32_t node = next++; node < count_; node = next++) {
        if (node != view_.entry && !left_out.has(node)) insert(node, vector, scratch);
        if (worker == 0 && on_progress && node % 64 == 0) on_progress(node);
      }
    });
  }

  void insert_rest(std::span<const uint64_t> nodes) {
    GraphScratch scratch(count_);
    std::vector<float> vector(dim_);
    for (const uint64_t node : nodes) insert(static_cast<uint32_t>(node), vector, scratch);
  }

 private:
  std::span<uint32_t> list(uint32_t node, uint32_t level) {
    const std::span<const uint32_t> list = view_.list(node, level);
    return {const_cast<uint32_t*>(list.data()), list.size()};
  }

  const uint8_t* row(uint64_t node) const {
    return file_.block(node / kSlotsPerBlock).rows +
           node % kSlotsPerBlock * file_.format().row_bytes();
  }
  float scale(uint64_t node) const {
    return file_.block(node / kSlotsPerBlock).scales[node % kSlotsPerBlock];
  }

  void insert(uint32_t node, std::vector<float>& vector, GraphScratch& scratch) {
    file_.read(node, vector);
    uint32_t level = std::min<uint32_t>(levels_[node], view_.max_level);
    SlotHit start = descend(view_, file_, vector.data(), level);
    for (;; --level) {
      std::vector<SlotHit> near =
          search_level(view_, file_, vector.data(), start, level, options_.width, scratch);
      // A search for its own neighbours may meet the node, once others have linked to it.
      std::erase_if(near, [&](const SlotHit& hit) { return hit.slot == node; });
      if (!near.empty()) start = near.front();
      const std::vector<SlotHit> chosen = choose(near, options_.links);
      {
        const SpinLock lock(locks_[node]);
        merge(node, level, chosen);
      }
      for (const SlotHit& hit : chosen) {
        const auto neighbour = static_cast<uint32_t>(hit.slot);
        const SpinLock lock(locks_[neighbour]);
        merge(neighbour, level, {{{node, hit.score}}});
      }
      if (level == 0) return;
    }
  }

  // Puts hits, scored against `node`, into its list; a full list keeps the best choice of all.
  // Needs the node's lock.
  void merge(uint32_t node, uint32_t level, std::vector<SlotHit> hits) {
    const std::span<uint32_t> links = list(node, level);
    size_t used = 0;
    while (used < links.size() && links[used] != kNoNode) {
      std::erase_if(hits, [&](const SlotHit& hit) { return hit.slot == links[used]; });
      ++used;
    }
    if (used + hits.size() <= links.size()) {
      for (const SlotHit& hit : hits) store(links[used++], static_cast<uint32_t>(hit.slot));
      return;
    }
    std::vector<float> vector(dim_), scores(used);
    std::vector<const uint8_t*> rows;
    file_.read(node, vector);
    for (size_t i = 0; i < used; ++i) rows.push_back(row(links[i]));
    kernels::dot_scattered(vector.data(), dim_, file_.format().dtype, rows.data(), used,
                           scores.data());
    for (size_t i = 0; i < used; ++i)
      hits.push_back(
          {links[i], file_.format().dtype == DType::i8 ? scores[i] * scale(links[i]) : scores[i]});
    std::sort(hits.begin(), hits.end(), better);
    const std::vector<SlotHit> kept = choose(hits, links.size());
    for (size_t i = 0; i < links.size(); ++i)
      store(links[i], i < kept.size() ? static_cast<uint32_t>(kept[i].slot) : kNoNode);
  }

  static void store(uint32_t& link, uint32_t node) {
    std::atomic_ref(link).store(node, std::memory_order_relaxed);
  }

  // Of hits, best first, those that are nearer to the node than to any chosen before them: links
  // in all directions instead of many into one cluster (the paper's algorithm 4).
  std::vector<SlotHit> choose(std::span<const SlotHit> hits, size_t most) const {
    const DType dtype = file_.format().dtype;
    std::vector<SlotHit> chosen;
    std::vector<const uint8_t*> rows;
    std::vector<float> vector(dim_);
    for (const SlotHit& hit : hits) {
      if (chosen.size() == most) break;
      const float* candidate = vector.data();
      if (dtype == DType::f32)
        candidate = reinterpret_cast<const float*>(row(hit.slot));
      else
        file_.read(hit.slot, vector);
      bool crowded = false;
      for (size_t i = 0; i < rows.size() && !crowded; i += 4) {
        float scores[4];
        const size_t some = std::min<size_t>(4, rows.size() - i);
        kernels::dot_scattered(candidate, dim_, dtype, rows.data() + i, some, scores);
        for (size_t j = 0; j < some; ++j) {
          if (dtype == DType::i8) scores[j] *= scale(chosen[i + j].slot);
          crowded = crowded || scores[j] > hit.score;
        }
      }
      if (crowded) continue;
      chosen.push_back(hit);
      rows.push_back(row(hit.slot));
    }
    return chosen;
  }

  const VectorFile& file_;
  const GraphOptions& options_;
  size_t dim_;
  uint32_t count_;
  std::vector<uint8_t> levels_;
  std::vector<uint32_t> base_, offsets_, upper_;
  std::unique_ptr<std::atomic<uint8_t>[]> locks_;
  GraphView view_;
};

// Slots whose vectors ask the graph before they join it: 200 of many, a tenth of few.
std::vector<uint64_t> test_slots(const VectorFile& file, uint32_t entry) {
  const uint64_t tests = std::min<uint64_t>(kGraphTests, file.slots() / 10);
  std::vector<uint64_t> slots;
  for (uint64_t i = 0; i < tests; ++i)
    if (const uint64_t slot = file.slots() * i / tests; slot != entry) slots.push_back(slot);
  return slots;
}

// The narrowest search that finds enough of the slots' nearest among all others, and what it finds.
GraphQuality measure(const Context& context, const VectorFile& file, const GraphView& view,
                     std::span<const uint64_t> tests, double aim) {
  const auto dim = static_cast<size_t>(file.format().dim);
  std::vector<float> queries(tests.size() * dim);
  SlotSet others(file.slots(), true);
  for (size_t i = 0; i < tests.size(); ++i) {
    file.read(tests[i], std::span(queries).subspan(i * dim, dim));
    others.remove(tests[i]);
  }
  const auto exact = exact_search(context, file, queries, kGraphTestNearest, &others);
  GraphQuality quality{0, 8};
  GraphScratch scratch(view.count);
  do {
    quality.width += std::max<uint32_t>(8, quality.width / 2);
    size_t found = 0, wanted = 0;
    for (size_t i = 0; i < tests.size(); ++i) {
      const float* query = queries.data() + i * dim;
      auto got =
          search_level(view, file, query, descend(view, file, query, 0), 0, quality.width, scratch);
      if (got.size() > kGraphTestNearest) got.resize(kGraphTestNearest);
      for (const SlotHit& hit : exact[i]) {
        ++wanted;
        found += std::any_of(got.begin(), got.end(),
                             [&](const SlotHit& other) { return other.slot == hit.slot; });
      }
    }
    quality.recall = wanted == 0 ? 1 : static_cast<float>(found) / static_cast<float>(wanted);
  } while (quality.recall < aim && quality.width < 2000);
  return quality;
}

}  // namespace

GraphReport build_graph(const Context& context, const VectorFile& file, const std::string& path,
                        const GraphOptions& options,
                        const std::function<void(int64_t nodes)>& on_progress) {
  check_arg(options.links >= 2 && options.links <= kMaxLinks,
            "[graph] links must be 2 to {}, got {}", kMaxLinks, options.links);
  check_arg(options.width >= 1, "[graph] width must be above 0");
  check_arg(file.slots() <= kMaxNodes, "[graph] {} vectors are too many", file.slots());
  Builder builder(file, options);
  const std::vector<uint64_t> tests = test_slots(file, builder.view().entry);
  SlotSet left_out(file.slots());
  for (const uint64_t slot : tests) left_out.add(slot);
  builder.run(context, left_out, on_progress);
  GraphReport report;
  report.nodes = builder.view().count;
  if (report.nodes > 0)
    report.quality = measure(context, file, builder.view(), tests, options.recall);
  builder.insert_rest(tests);
  write_graph(path, builder.view(), report.quality);
  report.bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  return report;
}

GraphReport build_folder_graph(const Context& context, const std::string& folder,
                               const GraphOptions& options,
                               const std::function<void(int64_t nodes)>& on_progress) {
  Database db(database_path(folder), DatabaseMode::read_only);
  const FolderState state = read_state(db, database_path(folder));
  const std::string vectors = folder + "/" + state.vectors;
  // Appended piece by piece, it lies in memory in small pages: a search in 1,000,000 x 512 takes a
  // quarter longer then. Reading it again takes seconds, linking it minutes.
  forget_cached_pages(vectors);
  return build_graph(context, VectorFile(vectors, state.slots), graph_path(folder), options,
                     on_progress);
}

}  // namespace openclip
