// Normalised features of texts, and arithmetic on rows of features. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace openclip {

/// Scales each of the rows [rows.size() / dim, dim] to length 1, dividing by max(length, 1e-12) as
/// torch.nn.functional.normalize does.
void normalize_rows(std::span<float> rows, int64_t dim);

/// a . b of `dim` floats each, summed in f32 (kernels::dot_rows).
float dot(const float* a, const float* b, int64_t dim);

/// a . b / (|a| |b|) of two vectors of one length, summed in f64; 0 where either is zero.
double cosine(std::span<const float> a, std::span<const float> b);

/// Texts that were longer than the context, for a report.
struct CutTexts {
  size_t count = 0;
  size_t most_tokens = 0;  // that did not fit, of the longest
  std::string longest{};
  void add(const std::string& text, size_t tokens);
};

/// Token ids of a text as Model::encode_text wants them: padded by the tokenizer where padding
/// reaches the feature, else without padding. cut: as Tokenizer::encode.
std::vector<int32_t> text_ids(const Tokenizer& tokenizer, const TextConfig& config,
                              std::string_view text, size_t* cut = nullptr);

/// Features [texts.size(), embed_dim], scaled to length 1 unless `normalize` is false. Texts with
/// the same tokens are computed once, and beginnings that texts share too where the tower is
/// causal; so give many at once. `cut` (may be null) learns of texts beyond the context.
std::vector<float> encode_texts(const Context& context, const Model& model,
                                const Tokenizer& tokenizer, std::span<const std::string> texts,
                                bool normalize = true, CutTexts* cut = nullptr);

}  // namespace openclip
