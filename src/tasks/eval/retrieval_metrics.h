// Recall of pictures by their captions and of captions by their pictures. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "tasks/eval/metrics.h"

namespace openclip {

/// Ranks of the first right hit, both ways. Ties in score stand in index order.
struct RetrievalRanks {
  std::vector<int64_t> of_text;  // [texts]: pictures before the text's own
  std::vector<int64_t>
      of_image;  // [images]: texts before the first of the picture's own; -1 = none
};

/// images: [n, dim] and texts: [m, dim], of length 1; image_of_text: [m], in [0, n). Scores are
/// cosines, computed in blocks, so that no [m, n] matrix is held.
/// Throws: InvalidArgument where the lengths do not fit.
RetrievalRanks retrieval_ranks(const Context& context, std::span<const float> images,
                               std::span<const float> texts, int64_t dim,
                               std::span<const int64_t> image_of_text);

/// Share of ranks below k, of those that are not -1.
Estimate recall_at(std::span<const int64_t> ranks, int64_t k);

}  // namespace openclip
