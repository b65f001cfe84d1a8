// The stack, marks and memo that a pickle's opcodes work on, within limits. Part of rank 3.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/pickle.h"

namespace openclip {

/// Holds the values of one pickle while it is read. All failures are thrown by `fail`.
class PickleStack {
 public:
  using Fail = std::function<void(const std::string&)>;  // throws

  PickleStack(std::vector<PickleNode>& nodes, const PickleLimits& limits, Fail fail)
      : nodes_(nodes), limits_(limits), fail_(std::move(fail)) {}

  bool is_empty() const { return stack_.empty() && marks_.empty(); }
  const PickleNode& node(PickleId id) const { return nodes_[id]; }

  void push(PickleId id) {
    if (stack_.size() == limits_.max_stack) fail_("nests deeper than any checkpoint");
    stack_.push_back(id);
  }
  PickleId top_id() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail_("takes from an empty stack");
    return stack_.back();
  }
  PickleNode& top() { return nodes_[top_id()]; }
  PickleId pop() {
    const PickleId id = top_id();
    stack_.pop_back();
    return id;
  }
  /// A new value, on top.
  bool add(PickleNode node) {
    if (nodes_.size() == limits_.max_values) fail_("holds more values than any checkpoint");
    nodes_.push_back(std::move(node));
    push(static_cast<PickleId>(nodes_.size() - 1));
    return true;
  }
  bool add_items(PickleKind kind, std::vector<PickleId> items) {
    return add({.kind = kind, .items = std::move(items)});
  }
  bool add_tuple(size_t size) {
    std::vector<PickleId> items(size);
    for (size_t i = size; i-- > 0;) items[i] = pop();
    return add_items(PickleKind::tuple, std::move(items));
  }

  bool mark() {
    if (marks_.size() == limits_.max_stack) fail_("nests deeper than any checkpoint");
    marks_.push_back(stack_.size());
    return true;
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail_("looks for a mark that is not there");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  /// POP, which takes a mark where that is what lies on top.
  bool discard() {
    if (!marks_.empty() && marks_.back() == stack_.size())
      marks_.pop_back();
    else
      pop();
    return true;
  }

  /// Appends items, or keys and values, to the container on top.
  bool put_into(const std::vector<PickleId>& items, bool pairs) {
    PickleNode& target = top();
    const PickleKind kind = pairs ? PickleKind::dict : PickleKind::list;
    if (target.kind != kind && target.kind != PickleKind::object)
      fail_("puts an item into what is no container");
    if (pairs && items.size() % 2 != 0) fail_("has a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }
  bool put_last(size_t count, bool pairs) {
    std::vector<PickleId> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return put_into(items, pairs);
  }

  bool remember(uint64_t index) {
    const PickleId id = top_id();
    if (index >= limits_.max_memo) fail_(fmt::format("remembers a value as number {}", index));
    if (index >= memo_.size()) memo_.resize(static_cast<size_t>(index) + 1, PickleNode::kNothing);
    memo_[static_cast<size_t>(index)] = id;
    remembered_ = std::max(remembered_, index + 1);
    return true;
  }
  bool remember_next() { return remember(remembered_); }
  bool recall(uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<size_t>(index)] == PickleNode::kNothing)
      fail_(fmt::format("recalls value {}, which it did not remember", index));
    push(memo_[static_cast<size_t>(index)]);
    return true;
  }

 private:
  std::vector<PickleNode>& nodes_;
  const PickleLimits& limits_;
  Fail fail_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::vector<PickleId> memo_;
  uint64_t remembered_ = 0;
};

}  // namespace openclip
