#include "text/bpe.h"

#include <bit>
#include <queue>
#include <tuple>

#include "base/error.h"

namespace openclip {
namespace {

constexpr size_t kShortWord = 48;  // up to here rescanning all pairs beats keeping a heap

}  // namespace

BpeModel::BpeModel(const std::array<int32_t, 256>& inner, const std::array<int32_t, 256>& last,
                   int32_t unknown, size_t merge_count)
    : inner_(inner), last_(last), unknown_(unknown) {
  slots_.resize(std::bit_ceil(merge_count * 2 + 2));
  shift_ = 64 - std::countr_zero(slots_.size());
}

uint64_t BpeModel::pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// The slot that holds `pair`, or the empty one where it would go.
size_t BpeModel::slot_of(uint64_t pair) const {
  size_t slot = static_cast<size_t>(pair * 0x9E3779B97F4A7C15u >> shift_);  // Fibonacci hashing
  while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty)
    slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void BpeModel::add_merge(int32_t left, int32_t right, int32_t merged) {
  if (left < 0 || right < 0 || static_cast<size_t>(next_rank_) * 2 + 2 > slots_.size())
    throw Internal("[BpeModel] impossible token, or more merges than announced");
  const uint64_t pair = pair_of(left, right);
  slots_[slot_of(pair)] = {pair, {next_rank_++, merged}};
}

const BpeModel::Merge* BpeModel::find(int32_t left, int32_t right) const {
  if (left < 0 || right < 0) return nullptr;
  const Slot& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot.merge;
}

void BpeModel::merge_short(std::vector<int32_t>* symbols) const {
  std::array<const Merge*, kShortWord> merges;  // of symbols i and i + 1
  size_t size = symbols->size();
  auto& s = *symbols;
  for (size_t i = 0; i + 1 < size; ++i) merges[i] = find(s[i], s[i + 1]);
  while (size > 1) {
    size_t best = size;
    for (size_t i = 0; i + 1 < size; ++i)
      if (merges[i] != nullptr && (best == size || merges[i]->rank < merges[best]->rank)) best = i;
    if (best == size) break;
    s[best] = merges[best]->merged;
    for (size_t i = best + 1; i + 1 < size; ++i) {
      s[i] = s[i + 1];
      merges[i] = merges[i + 1];
    }
    --size;
    if (best > 0) merges[best - 1] = find(s[best - 1], s[best]);
    if (best + 1 < size) merges[best] = find(s[best], s[best + 1]);
  }
  symbols->resize(size);
}

void BpeModel::merge_long(std::vector<int32_t>* symbols) const {
  constexpr int32_t kGone = -2;
  auto& s = *symbols;
  const size_t size = s.size();
  std::vector<size_t> next(size), previous(size);                   // neighbours that still exist
  using Candidate = std::tuple<int32_t, size_t, int32_t, int32_t>;  // rank, position, the pair
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto propose = [&](size_t i) {
    if (i >= size || next[i] >= size) return;
    if (const Merge* merge = find(s[i], s[next[i]])) queue.push({merge->rank, i, s[i], s[next[i]]});
  };
  for (size_t i = 0; i < size; ++i) {
    next[i] = i + 1;
    previous[i] = i - 1;  // wraps at 0 to a position past the end
  }
  for (size_t i = 0; i < size; ++i) propose(i);
  while (!queue.empty()) {
    const auto [rank, i, left, right] = queue.top();
    queue.pop();
    // Entries go stale when a neighbour is merged away.
    if (s[i] != left || next[i] >= size || s[next[i]] != right) continue;
    const size_t gone = next[i];
    s[i] = find(left, right)->merged;
    s[gone] = kGone;
    next[i] = next[gone];
    if (next[i] < size) previous[next[i]] = i;
    propose(previous[i]);
    propose(i);
  }
  std::erase(s, kGone);
}

void BpeModel::encode_word(std::string_view word, std::vector<int32_t>* tokens) const {
  thread_local std::vector<int32_t> symbols;
  symbols.clear();
  for (size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    int32_t token = (i + 1 == word.size() ? last_ : inner_)[byte];
    if (token == kNoToken) token = unknown_;
    if (token != kNoToken) symbols.push_back(token);
  }
  if (symbols.size() <= kShortWord)
    merge_short(&symbols);
  else
    merge_long(&symbols);
  tokens->insert(tokens->end(), symbols.begin(), symbols.end());
  if (symbols.capacity() > 4096) std::vector<int32_t>().swap(symbols);
}

}  // namespace openclip
