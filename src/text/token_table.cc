#include "text/token_table.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "base/error.h"

namespace openclip {
namespace {

constexpr int32_t kMaxId = 1 << 22;
constexpr size_t kMaxBytes = size_t{1} << 30;  // offsets are 32 bits wide

}  // namespace

void TokenTable::reserve(size_t tokens, size_t bytes) {
  text_.reserve(bytes);
  by_id_.reserve(tokens);
  grow(tokens);
}

void TokenTable::grow(size_t tokens) {
  const size_t wanted = std::bit_ceil(tokens * 2 + 2);
  if (wanted <= slots_.size()) return;
  std::vector<Slot> old(wanted);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.bytes > 0) slots_[slot_of(text_of(slot))] = slot;
}

// The slot that holds `token`, or the free one where it would go.
size_t TokenTable::slot_of(std::string_view token) const {
  const size_t mask = slots_.size() - 1;
  size_t at = std::hash<std::string_view>()(token) & mask;
  while (slots_[at].bytes > 0 && text_of(slots_[at]) != token) at = (at + 1) & mask;
  return at;
}

void TokenTable::add(std::string_view token, int32_t id) {
  if (token.empty() || id < 0 || id >= kMaxId || text_.size() + token.size() > kMaxBytes)
    throw Internal("[TokenTable] impossible token");
  if ((count_ + 1) * 2 > slots_.size()) grow((count_ + 1) * 2);
  Slot& slot = slots_[slot_of(token)];
  if (slot.bytes == 0) {
    slot.begin = static_cast<uint32_t>(text_.size());
    slot.bytes = static_cast<uint32_t>(token.size());
    text_ += token;
    longest_ = std::max(longest_, token.size());
    ++count_;
  }
  slot.id = id;
  if (static_cast<size_t>(id) >= by_id_.size()) by_id_.resize(static_cast<size_t>(id) + 1);
  by_id_[static_cast<size_t>(id)] = {slot.begin, slot.bytes};
}

int32_t TokenTable::find(std::string_view token) const {
  if (slots_.empty() || token.empty()) return kNoToken;
  return slots_[slot_of(token)].id;
}

std::string_view TokenTable::token(int32_t id) const {
  if (id < 0 || id >= size()) return {};
  const auto [begin, bytes] = by_id_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(begin, bytes);
}

}  // namespace openclip
