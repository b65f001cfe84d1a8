// Features of captions that come back, as they do on the web. Rank 5.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace openclip {

/// encode_texts() that remembers: a text's features are the same in every company, so a caption met
/// before costs a look-up. Forgets everything once it holds more than `limit` bytes. Not
/// thread-safe.
class CaptionFeatures {
 public:
  static constexpr size_t kLimit = size_t{64} << 20;

  CaptionFeatures(const Context& context, const Model& model, const Tokenizer& tokenizer,
                  size_t limit = kLimit);

  /// [captions.size(), embed_dim], scaled to length 1.
  std::vector<float> of(std::span<const std::string> captions);

  /// Captions that were computed, each time anew.
  size_t encoded() const { return encoded_; }

 private:
  const Context& context_;
  const Model& model_;
  const Tokenizer& tokenizer_;
  size_t dim_, limit_, bytes_ = 0, encoded_ = 0;
  std::unordered_map<std::string, size_t> rows_;  // of features_
  std::vector<float> features_;
};

}  // namespace openclip
