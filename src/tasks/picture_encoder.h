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
/// order of the pictures. Files of equal bytes are computed once, as long as the other is among
/// some thousand before it; so memory does not grow with their number. Not thread-safe.
class PictureEncoder {
 public:
  /// features: [embed_dim], not normalised; valid during the call.
  using Sink = std::function<void(const ImageRef& ref, std::span<const float> features)>;

  PictureEncoder(const Context& context, const Model& model, size_t batch, Sink sink);

  /// image: without a problem. May call the sink. Throws: errors of the tower and the sink.
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
