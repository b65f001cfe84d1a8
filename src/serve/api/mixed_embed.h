// Texts and pictures of one request, in their order. Rank 6.
#pragma once

#include <span>

#include "serve/api/backend.h"
#include "serve/api/embedding_inputs.h"

namespace openclip {

/// L2-normalised features [inputs, dim]. Throws: as Engine's functions and Backend::picture.
std::vector<float> embed_inputs(const Call& call, Backend& backend,
                                std::span<const EmbeddingInput> inputs, TextUsage* usage = nullptr);

/// The first `dimensions` of each row, normalised again (Matryoshka). Throws: CallError 400 where
/// the rows have fewer.
std::vector<float> shorten_rows(std::vector<float> rows, size_t dim, size_t dimensions);

}  // namespace openclip
