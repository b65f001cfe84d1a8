#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "text/unigram.h"
#include "text/utf8.h"

namespace openclip {
namespace {

constexpr size_t kShortWord = 48;  // up to here rescanning all pairs beats keeping a heap

}  // namespace

BpeMerges::BpeMerges(size_t merge_count) {
  slots_.resize(std::bit_ceil(merge_count * 2 + 2));
  shift_ = 64 - std::countr_zero(slots_.size());
}

uint64_t BpeMerges::pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// The slot that holds `pair`, or the empty one where it would go.
size_t BpeMerges::slot_of(uint64_t pair) const {
  size_t slot = static_cast<size_t>(pair * 0x9E3779B97F4A7C15u >> shift_);  // Fibonacci hashing
  while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty)
    slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void BpeMerges::add(int32_t left, int32_t right, int32_t merged) {
  if (left < 0 || right < 0 || static_cast<size_t>(next_rank_) * 2 + 2 > slots_.size())
    throw Internal("[BpeMerges] impossible token, or more merges than announced");
  const uint64_t pair = pair_of(left, right);
  slots_[slot_of(pair)] = {pair, {next_rank_++, merged}};
}

const BpeMerges::Merge* BpeMerges::find(int32_t left, int32_t right) const {
  if (left < 0 || right < 0) return nullptr;
  const Slot& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot.merge;
}

void BpeMerges::merge_short(std::vector<int32_t>* symbols) const {
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

void BpeMerges::merge_long(std::vector<int32_t>* symbols) const {
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

void BpeMerges::apply(std::vector<int32_t>* symbols) const {
  if (symbols->size() <= kShortWord)
    merge_short(symbols);
  else
    merge_long(symbols);
}

BpeModel::BpeModel(const std::array<int32_t, 256>& inner, const std::array<int32_t, 256>& last,
                   int32_t unknown, size_t merge_count)
    : inner_(inner), last_(last), unknown_(unknown), merges_(merge_count) {}

void BpeModel::encode_word(std::string_view word, std::vector<int32_t>* tokens) const {
  thread_local std::vector<int32_t> symbols;
  symbols.clear();
  for (size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    int32_t token = (i + 1 == word.size() ? last_ : inner_)[byte];
    if (token == kNoToken) token = unknown_;
    if (token != kNoToken) symbols.push_back(token);
  }
  merges_.apply(&symbols);
  tokens->insert(tokens->end(), symbols.begin(), symbols.end());
  if (symbols.capacity() > 4096) std::vector<int32_t>().swap(symbols);
}

CharacterBpe::CharacterBpe(std::shared_ptr<const TokenTable> tokens, BpeMerges merges,
                           Options options)
    : tokens_(std::move(tokens)), merges_(std::move(merges)), options_(options) {}

void CharacterBpe::encode_word(std::string_view word, std::vector<int32_t>* ids) const {
  std::vector<int32_t> symbols;
  symbols.reserve(word.size());
  size_t unknown = 0;  // of them that wait; bytes overtake these, as in `tokenizers`
  const auto flush = [&] {
    if (options_.fuse_unknown) unknown = std::min<size_t>(unknown, 1);
    symbols.insert(symbols.end(), std::exchange(unknown, 0), options_.unknown);
  };
  for (size_t at = 0; at < word.size();) {
    const size_t begin = at;
    next_code_point(word, &at);
    const std::string_view character = word.substr(begin, at - begin);
    const int32_t id = tokens_->find(character);
    if (id >= 0) {
      flush();
      symbols.push_back(id);
    } else if (options_.byte_fallback && append_byte_tokens(*tokens_, character, &symbols)) {
      continue;
    } else if (options_.unknown != BpeModel::kNoToken) {
      if (!options_.fuse_unknown) flush();
      ++unknown;
    }
  }
  flush();
  merges_.apply(&symbols);
  ids->insert(ids->end(), symbols.begin(), symbols.end());
}

}  // namespace openclip
