// An exponential moving average of a model's weights (ours; open_clip's trainer has none).
#pragma once

#include "model/tensor_store.h"

namespace openclip::train {

class Ema {
 public:
  /// Starts from the present weights of `store`.
  Ema(const TensorStore& store, double decay);

  /// average = d * average + (1 - d) * weights, BatchNorm statistics included, counters copied.
  /// d = min(decay, (1 + step) / (10 + step)), so that the random start is soon forgotten.
  void update(const TensorStore& store, int64_t step);

  TensorStore& weights() { return average_; }

 private:
  TensorStore average_;
  double decay_;
};

}  // namespace openclip::train
