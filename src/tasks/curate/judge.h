// The model's view of pairs: similarity, heads, tags, near-duplicates. Rank 5.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "tasks/curate/caption_features.h"
#include "tasks/curate/curate.h"
#include "tasks/curate/feature_head.h"
#include "tasks/curate/neighbours.h"
#include "tasks/curate/pairs.h"
#include "text/tokenizer.h"

namespace openclip {

/// Fills in what the model says of pairs and leaves out those that break a rule. Remembers the
/// features of kept pairs where near-duplicates are looked for. Not thread-safe.
class Judge {
 public:
  /// Throws: errors of the heads and of the test set's file.
  Judge(const Context& context, const Model& model, const Tokenizer& tokenizer,
        const CurateRequest& request);

  /// Judges the pairs that have no reason yet, in order. Returns the features of those that are
  /// kept, [kept, embed_dim]. shard: named in duplicate_of.
  std::vector<float> judge(const std::string& shard, std::span<CuratePair> pairs);

  /// Kept pairs of a shard that was finished before.
  void remember(const std::string& shard, std::span<const std::string> keys,
                std::span<const float> features);

  bool looks_for_duplicates() const { return request_.rules.duplicate <= 1; }

 private:
  std::vector<float> image_features(std::span<CuratePair* const> pairs) const;
  void fill(std::span<CuratePair* const> pairs, std::span<const float> images);

  const Context& context_;
  const Model& model_;
  CaptionFeatures captions_;
  const CurateRequest& request_;
  int64_t dim_;
  std::optional<FeatureHead> aesthetic_, unsafe_;
  std::vector<float> tag_vectors_;
  NeighbourSet test_set_, kept_;
  std::vector<std::string> kept_names_;  // SHARD/KEY of each row of kept_
};

}  // namespace openclip
