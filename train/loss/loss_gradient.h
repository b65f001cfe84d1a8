// What the contrastive losses hand to back-propagation.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>

namespace openclip::train {

/// A loss over the pairs of all processes, and its gradients. The losses compute them without
/// autograd, block by block, so that no matrix of all pairs is ever held, and so that features may
/// come from many batches and processes.
struct LossGradient {
  double loss = 0;          // this process's part: the loss is the sum over processes
  double distillation = 0;  // likewise; not contained in `loss`
  at::Tensor image, text;   // of this process's features, complete
  at::Tensor extra_text;    // likewise; undefined without extra captions
  double scale = 0;         // of the temperature (after exp); this process's part
  double bias = 0;          // of the bias; this process's part
};

/// Rows of a block so that one block of `columns` f32 columns takes at most 8 MB.
inline int64_t block_rows(int64_t columns) {
  constexpr int64_t kMaxElements = int64_t{2} << 20;
  return std::max<int64_t>(1, kMaxElements / std::max<int64_t>(1, columns));
}

}  // namespace openclip::train
