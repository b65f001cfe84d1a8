// Python's pickle format as a tree of plain data. Nothing is imported, called or built: a call in
// the file becomes a node that says what would be called. Rank 3.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

enum class PickleKind : uint8_t {
  none,
  boolean,
  integer,
  big_integer,  // more than 64 bits: its little-endian bytes
  real,
  text,
  bytes,
  tuple,
  list,       // also set
  dict,       // items: key, value, key, value, …
  global,     // text: "module.name"
  object,     // what calling `callable` with `args` would give; items: what was put into it
  reference,  // a persistent id, which is `args`
};

using PickleId = uint32_t;

struct PickleNode {
  static constexpr PickleId kNothing = UINT32_MAX;

  PickleKind kind = PickleKind::none;
  int64_t integer = 0;  // boolean, integer
  double real = 0;
  std::string_view text{};                        // text, bytes, big_integer, global
  std::vector<PickleId> items{};                  // tuple, list, dict, object
  PickleId callable = kNothing, args = kNothing;  // object; args also of reference
  PickleId state = kNothing;                      // object: the attributes it is given
};

/// Bounds on what a file may make us keep; far above any published checkpoint (a training
/// checkpoint of 600 tensors and its optimizer has 60 thousand values).
struct PickleLimits {
  size_t max_opcodes = size_t{1} << 23;
  size_t max_values = size_t{1} << 20;
  size_t max_stack = size_t{1} << 18;
  size_t max_memo = size_t{1} << 20;
};

/// One pickle of protocol 2 to 5, or those opcodes of older ones that stand for whole values. Texts
/// point into the bytes it was read from. Values refer to each other by number, so a file can
/// neither exhaust the call stack nor make cycles of owners.
class Pickle {
 public:
  /// Whether the file may name this global ("module.name"); all others end the reading.
  using Allowed = std::function<bool(std::string_view)>;

  /// Reads the pickle at the start of `bytes`; `end`, unless null, becomes the offset behind it.
  /// Throws: ParseError for malformed input and exceeded limits, Unsupported naming a global that
  /// is not allowed.
  Pickle(const std::string& source, std::span<const uint8_t> bytes, const Allowed& allowed,
         size_t* end = nullptr, const PickleLimits& limits = {});

  PickleId root() const { return root_; }
  const PickleNode& operator[](PickleId id) const { return nodes_[id]; }
  std::span<const PickleNode> nodes() const { return nodes_; }

 private:
  friend class PickleMachine;
  std::vector<PickleNode> nodes_;
  std::deque<std::string> names_;  // of globals
  PickleId root_ = 0;
};

/// Foreign text made fit for an error line: printable ASCII, at most 100 characters.
std::string quotable(std::string_view text);

}  // namespace openclip
