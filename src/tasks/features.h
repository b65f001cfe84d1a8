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

/// Features [texts.size(), embed_dim], scaled to length 1 unless `normalize` is false. Texts with
/// the same tokens are computed once, and beginnings that texts share too where the tower is
/// causal; so give many at once.
std::vector<float> encode_texts(const Context& context, const Model& model,
                                const Tokenizer& tokenizer, std::span<const std::string> texts,
                                bool normalize = true);

}  // namespace openclip
