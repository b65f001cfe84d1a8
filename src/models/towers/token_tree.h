// Texts that begin alike, laid out so that what they share is computed once. Part of rank 4.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/segment_attention.h"

namespace openclip {

/// The prefix tree of some token lists. In a causal tower the state of a token depends on the
/// tokens before it alone, so equal beginnings have equal states: each distinct beginning gets one
/// row. Rows of a text that it does not share with an earlier one lie together, in order.
struct TokenTree {
  std::vector<int32_t> ids;        // token of each row
  std::vector<int64_t> positions;  // its place in its text
  SegmentSpans attention;          // of the rows among each other
  // Rows with one token at one place enter the tower as equals, and are so until they have attended
  // to what is before them.
  std::vector<int64_t> first_rows;  // the first row of each kind
  std::vector<int64_t> kinds;       // of each row, an index into first_rows
  std::vector<int64_t> last_rows;   // row of each text's last token
  SegmentSpans last_attention;      // of the last tokens alone: query i is that of text i

  /// texts: not empty each, all different, sorted as std::vector compares.
  explicit TokenTree(std::span<const std::span<const int32_t>> texts);
};

/// Number of leading tokens that both begin with.
size_t shared_prefix(std::span<const int32_t> a, std::span<const int32_t> b);

}  // namespace openclip
