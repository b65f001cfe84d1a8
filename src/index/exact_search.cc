#include "index/exact_search.h"

#include <atomic>
#include <bit>

#include "base/error.h"
#include "index/top_k.h"
#include "kernels/similarity.h"
#include "tensor/buffer.h"

namespace openclip {
namespace {

constexpr size_t kQueriesAtOnce = 128;  // of one pass over the file
// Up to this many queries dot products keep up with the memory; more become a matrix product.
constexpr size_t kMaxDotQueries = 4;
constexpr uint64_t kBlocksAtOnce = 8;  // that a thread takes; 4 MB at 512 floats

// Some queries and what one pass over the file finds for them.
class Pass {
 public:
  Pass(const VectorFile& file, std::span<const float> queries, size_t k, const SlotSet* allowed,
       uint64_t first)
      : file_(file),
        queries_(queries),
        dim_(static_cast<size_t>(file.format().dim)),
        count_(queries.size() / dim_),
        k_(k),
        allowed_(allowed),
        first_(first) {
    if (count_ <= kMaxDotQueries) return;
    packed_ = Buffer(kernels::packed_bytes(kernels::PanelType::f32, dim_, count_) / sizeof(float));
    kernels::pack_panels(kernels::PanelType::f32, {queries.data(), true, dim_, count_}, 0,
                         (count_ + kernels::panel_width() - 1) / kernels::panel_width(),
                         packed_.data());
  }

  std::vector<std::vector<SlotHit>> run(const Context& context) {
    const auto threads = static_cast<size_t>(context.threads());
    std::vector<std::vector<TopK>> found(threads, std::vector<TopK>(count_, TopK(k_)));
    std::atomic<uint64_t> next{first_ / kSlotsPerBlock};
    // Threads take blocks as they come: one that the system lets wait delays nobody.
    parallel_for(context.threads(), threads, 1, [&](size_t, size_t, int worker) {
      Scratch scratch(count_);
      while (true) {
        const uint64_t begin = next.fetch_add(kBlocksAtOnce);
        if (begin >= file_.blocks()) return;
        for (uint64_t b = begin; b < std::min(begin + kBlocksAtOnce, file_.blocks()); ++b)
          search_block(b, scratch, found[static_cast<size_t>(worker)]);
      }
    });
    std::vector<std::vector<SlotHit>> results;
    for (size_t q = 0; q < count_; ++q) {
      TopK& best = found[0][q];
      for (size_t t = 1; t < threads; ++t)
        for (const SlotHit& hit : found[t][q].hits()) best.add(hit);
      results.push_back(best.take());
    }
    return results;
  }

 private:
  struct Scratch {
    explicit Scratch(size_t queries)
        : scores(kSlotsPerBlock * queries), found(kSlotsPerBlock * queries), limits(queries) {}
    std::vector<float> scores;  // [queries, 256], or [256, queries] of a matrix product
    std::vector<uint32_t> found;
    std::vector<float> limits;
  };

  bool skipped(uint64_t block) const {
    if (allowed_ == nullptr) return false;
    constexpr uint64_t kWords = kSlotsPerBlock / 64;
    for (uint64_t word = block * kWords; word < (block + 1) * kWords; ++word)
      if (allowed_->any_of_word(word)) return false;
    return true;
  }

  void search_block(uint64_t index, Scratch& scratch, std::vector<TopK>& best) const {
    if (skipped(index)) return;
    const uint64_t first = index * kSlotsPerBlock;
    const size_t rows = std::min<uint64_t>(kSlotsPerBlock, file_.slots() - first);
    const VectorBlock block = file_.block(index);
    if (count_ <= kMaxDotQueries)
      dot_products(block, first, rows, scratch, best);
    else
      matrix_product(block, first, rows, scratch, best);
  }

  void dot_products(const VectorBlock& block, uint64_t first, size_t rows, Scratch& scratch,
                    std::vector<TopK>& best) const {
    const DType dtype = file_.format().dtype;
    for (size_t q = 0; q < count_; ++q) {
      float* scores = scratch.scores.data() + q * kSlotsPerBlock;
      kernels::dot_rows(queries_.data() + q * dim_, dim_, dtype, block.rows, rows, scores);
      if (dtype == DType::i8)
        for (size_t i = 0; i < rows; ++i) scores[i] *= block.scales[i];
      const size_t n = kernels::find_above(scores, rows, best[q].limit(), scratch.found.data());
      for (size_t i = 0; i < n; ++i)
        offer({first + scratch.found[i], scores[scratch.found[i]]}, best[q]);
    }
  }

  void matrix_product(const VectorBlock& block, uint64_t first, size_t rows, Scratch& scratch,
                      std::vector<TopK>& best) const {
    const VectorFormat& format = file_.format();
    float* scores = scratch.scores.data();
    kernels::matmul(1, rows, kernels::StoredRows(format.dtype, block.rows, dim_),
                    {.panels = packed_.data(), .k = dim_, .n = count_},
                    {.out = scores, .stride = count_});
    if (format.dtype == DType::i8)
      for (size_t i = 0; i < rows; ++i)
        for (size_t q = 0; q < count_; ++q) scores[i * count_ + q] *= block.scales[i];
    for (size_t q = 0; q < count_; ++q) scratch.limits[q] = best[q].limit();
    for (size_t i = 0; i < rows; ++i) {
      const float* row = scores + i * count_;
      const size_t n =
          kernels::find_above_each(row, count_, scratch.limits.data(), scratch.found.data());
      for (size_t j = 0; j < n; ++j) {
        const uint32_t q = scratch.found[j];
        offer({first + i, row[q]}, best[q]);
        scratch.limits[q] = best[q].limit();
      }
    }
  }

  void offer(const SlotHit& hit, TopK& best) const {
    if (hit.slot >= first_ && (allowed_ == nullptr || allowed_->has(hit.slot))) best.add(hit);
  }

  const VectorFile& file_;
  std::span<const float> queries_;
  size_t dim_, count_, k_;
  const SlotSet* allowed_;
  uint64_t first_;
  Buffer packed_;  // the queries as columns, when there are many
};

}  // namespace

SlotSet::SlotSet(uint64_t slots, bool all)
    : slots_(slots), words_((slots + 63) / 64, all ? ~uint64_t{0} : 0) {
  if (all && slots % 64 != 0) words_.back() = (uint64_t{1} << (slots % 64)) - 1;
}

void SlotSet::keep_only(const SlotSet& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}

uint64_t SlotSet::count() const {
  uint64_t sum = 0;
  for (const uint64_t word : words_) sum += static_cast<uint64_t>(std::popcount(word));
  return sum;
}

std::vector<std::vector<SlotHit>> exact_search(const Context& context, const VectorFile& file,
                                               std::span<const float> queries, size_t k,
                                               const SlotSet* allowed, uint64_t first) {
  const auto dim = static_cast<size_t>(file.format().dim);
  check_arg(queries.size() % dim == 0, "[search] queries of {} floats are not rows of {}",
            queries.size(), dim);
  check_arg(allowed == nullptr || allowed->slots() == file.slots(),
            "[search] a set of {} slots for a file of {}", allowed ? allowed->slots() : 0,
            file.slots());
  std::vector<std::vector<SlotHit>> results;
  const size_t at_once = kQueriesAtOnce * dim;
  for (size_t done = 0; done < queries.size(); done += at_once) {
    const auto part = queries.subspan(done, std::min(at_once, queries.size() - done));
    for (auto& hits : Pass(file, part, k, allowed, first).run(context))
      results.push_back(std::move(hits));
  }
  return results;
}

}  // namespace openclip
