// Features of a whole data set with its labels. Rank 5.
#pragma once

#include <functional>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "tasks/eval/dataset.h"

namespace openclip {

/// Whom to tell while a data set is read; either may be null.
struct EvalListener {
  std::function<void(const std::string& problem)> on_skipped;
  std::function<void(int64_t samples)> on_samples;  // number so far
};

struct EncodedDataset {
  std::vector<float> features;      // [samples, embed_dim], of length 1
  std::vector<EvalSample> samples;  // those that could be read, without their bytes
  int64_t skipped = 0;
};

/// Reads, decodes and encodes every sample, decoding ahead of the tower. Pictures are converted to
/// RGB before they are resized, as CLIP_benchmark's and torchvision's loaders do.
EncodedDataset encode_dataset(const Context& context, const Model& model, EvalSamples& samples,
                              const EvalListener& listener = {});

}  // namespace openclip
