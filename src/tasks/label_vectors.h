// Vectors of label sets kept on disk, so that classifying with the same labels again computes no
// text. Rank 5.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/factory.h"

namespace openclip {

/// Names the vectors of these labels under these templates by this model: a hash of the prompts,
/// the config, the tokenizer's file, and the weights' size, head and tail (for a checkpoint of
/// gigabytes the whole would take longer than it saves; any training changes the tail).
/// Throws: errors of reading those files.
std::string label_vectors_key(const ModelSource& source, const std::vector<std::string>& labels,
                              const std::vector<std::string>& templates);

/// Vectors [labels, embed_dim] that were kept under the key, in the model's own folder
/// (label_vectors/KEY.safetensors, for labels that ship with a model) or in the user's cache.
/// Absent, damaged and mis-shaped files give nothing.
std::optional<std::vector<float>> find_label_vectors(const ModelSource& source,
                                                     const std::string& key, size_t labels);

/// Keeps vectors in the user's cache ($OPENCLIP_CACHE, $XDG_CACHE_HOME/openclip or
/// ~/.cache/openclip). A cache that cannot be written is no error: the next call computes again.
void keep_label_vectors(const ModelSource& source, const std::string& key,
                        const std::vector<float>& vectors);

}  // namespace openclip
