// Small networks on image features: aesthetic and safety heads. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "tensor/linear.h"

namespace openclip {

/// A chain of Linear layers from a feature of length 1 to one number, as LAION's heads are saved:
/// - one layer, `weight` [1, dim] and `bias` [1] (aesthetic v1);
/// - `layers.N.weight` and `.bias` of an nn.Sequential. What lies between two of them cannot be
/// seen
///   in the file but counted: numbers three apart hold a ReLU and a Dropout (NSFW of ViT-H-14), two
///   apart a Dropout and one apart nothing (aesthetic v2). Dropout does nothing here.
/// Immutable, thread-safe.
class FeatureHead {
 public:
  /// Throws: errors of Checkpoint::open; ParseError where the tensors are no such chain, or do not
  /// begin at `dim` and end at 1.
  static FeatureHead open(const Context& context, const std::string& path, int64_t dim);

  /// One number for each row of features [n, dim].
  std::vector<float> scores(const Context& context, std::span<const float> features) const;

 private:
  std::vector<Linear> layers_;
  std::vector<bool> relu_after_;
};

}  // namespace openclip
