// Features of a stream of pictures, computed in batches. Rank 5.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "tasks/image_stream.h"

namespace openclip {

/// Takes pictures one by one, computes features of `batch` at a time and hands them out in the
/// order of the pictures. Files of equal bytes are computed once, as long as the other is not too
/// far back (some thousand pictures); so memory does not grow with their number. Not thread-safe.
class PictureEncoder {
 public:
  /// Computes features [count, features_each] of pixels [count, 3, height, width].
  using Encode = std::function<void(const float* pixels, int64_t count, float* features)>;
  /// features: of one picture, as Encode gives them; valid during the call.
  using Sink = std::function<void(const ImageRef& ref, std::span<const float> features)>;

  /// features_each: numbers of a picture's features.
  PictureEncoder(size_t batch, size_t features_each, Encode encode, Sink sink);

  /// image: without a problem. May call both functions. Throws: what they throw.
  void add(PreparedImage image);

  /// Computes what is left.
  void finish();

 private:
  using Known = std::unordered_map<std::string, std::vector<float>>;
  struct Row {
    ImageRef ref;
    std::string digest;
    size_t index = 0;             // in the batch,
    std::vector<float> features;  // or, of an earlier picture's equal, its features
  };

  const std::vector<float>* find_known(const std::string& digest) const;
  void flush();

  const size_t batch_, each_;
  const Encode encode_;
  const Sink sink_;
  std::vector<Row> rows_;
  std::vector<float> pixels_;                         // of the batch's distinct pictures
  std::unordered_map<std::string, size_t> in_batch_;  // digest -> index in the batch
  Known recent_, older_;  // two generations: the older goes when the other is full
};

}  // namespace openclip
