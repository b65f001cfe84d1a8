#include "models/towers/token_tree.h"

#include <algorithm>
#include <map>

namespace openclip {
namespace {

// Adds a span whose keys are the rows of `path`.
void add_span(size_t query_begin, size_t query_count, std::span<const KeySegment> path,
              SegmentSpans& to) {
  SegmentSpan span{query_begin, query_count, to.segments.size(), path.size(), 0};
  for (const KeySegment& segment : path) span.key_count += segment.count;
  to.segments.insert(to.segments.end(), path.begin(), path.end());
  to.spans.push_back(span);
}

// Cuts a path of rows to its first `length`.
void shorten(std::vector<KeySegment>& path, size_t length) {
  size_t rows = 0;
  for (const KeySegment& segment : path) rows += segment.count;
  while (rows > length) {
    const size_t cut = std::min(rows - length, path.back().count);
    rows -= cut;
    path.back().count -= cut;
    if (path.back().count == 0) path.pop_back();
  }
}

// Appends rows to a path; they may go on where its last segment ends.
void extend(std::vector<KeySegment>& path, size_t begin, size_t count) {
  if (!path.empty() && path.back().begin + path.back().count == begin)
    path.back().count += count;
  else
    path.push_back({begin, count});
}

}  // namespace

size_t shared_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                             a.begin());
}

TokenTree::TokenTree(std::span<const std::span<const int32_t>> texts) {
  std::span<const int32_t> previous;
  std::map<std::pair<int32_t, size_t>, int64_t> kind_of;
  std::vector<KeySegment> path;  // rows of `previous`, then of the text in work
  for (const std::span<const int32_t> text : texts) {
    const size_t shared = shared_prefix(previous, text);
    const size_t begin = ids.size();
    ids.insert(ids.end(), text.begin() + static_cast<long>(shared), text.end());
    for (size_t i = shared; i < text.size(); ++i) {
      const auto row = static_cast<int64_t>(positions.size());
      const auto [kind, is_new] =
          kind_of.try_emplace({text[i], i}, static_cast<int64_t>(first_rows.size()));
      if (is_new) first_rows.push_back(row);
      kinds.push_back(kind->second);
      positions.push_back(static_cast<int64_t>(i));
    }
    shorten(path, shared);
    extend(path, begin, text.size() - shared);
    add_span(begin, text.size() - shared, path, attention);
    add_span(last_rows.size(), 1, path, last_attention);
    last_rows.push_back(static_cast<int64_t>(ids.size()) - 1);
    previous = text;
  }
}

}  // namespace openclip
