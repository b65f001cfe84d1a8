// Normalised features of texts, and arithmetic on rows of features. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace openclip {

/// Scales each of the rows [rows.size() / dim, dim] to length 1, dividing by max(length, 1e-12) as
/// torch.nn.functional.normalize does.
void normalize_rows(std::span<float> rows, int64_t dim);

struct TextBatching {
  bool normalize = true;
  size_t batch = 256;  // texts of one pass through the tower; bounds its memory
};

/// Features [texts.size(), embed_dim]. Texts with the same tokens are computed once.
std::vector<float> encode_texts(const Context& context, const Model& model,
                                const Tokenizer& tokenizer, std::span<const std::string> texts,
                                const TextBatching& options = {});

}  // namespace openclip
