#include "tasks/curate/judge.h"

#include <algorithm>

#include "base/error.h"
#include "io/npy.h"
#include "tasks/features.h"

namespace openclip {
namespace {

constexpr size_t kNotedTags = 2;  // as LAION-400M's rule on its two nearest categories

std::vector<float> read_test_set(const std::string& path, int64_t dim) {
  const NpyFile file = NpyFile::open(path);
  if (file.shape().size() != 2 || file.shape()[1] != dim)
    throw ParseError(path,
                     fmt::format("must be an array [pictures, {}] of this model's features", dim));
  std::vector<float> rows = file.to_floats();
  normalize_rows(rows, dim);
  return rows;
}

}  // namespace

Judge::Judge(const Context& context, const Model& model, const Tokenizer& tokenizer,
             const CurateRequest& request)
    : context_(context),
      model_(model),
      captions_(context, model, tokenizer),
      request_(request),
      dim_(model.config().embed_dim),
      test_set_(dim_),
      kept_(dim_) {
  if (!request.aesthetic_head.empty())
    aesthetic_ = FeatureHead::open(context, request.aesthetic_head, dim_);
  if (!request.unsafe_head.empty()) unsafe_ = FeatureHead::open(context, request.unsafe_head, dim_);
  tag_vectors_ = encode_texts(context, model, tokenizer, request.tags);
  if (!request.decontaminate.empty())
    test_set_.add(context, read_test_set(request.decontaminate, dim_));
}

std::vector<float> Judge::image_features(std::span<CuratePair* const> pairs) const {
  std::vector<float> pixels, features(pairs.size() * dim_);
  for (CuratePair* pair : pairs) {
    pixels.insert(pixels.end(), pair->pixels.begin(), pair->pixels.end());
    pair->pixels = {};
  }
  model_.encode_image(context_, pixels.data(), static_cast<int64_t>(pairs.size()), features.data());
  normalize_rows(features, dim_);
  return features;
}

void Judge::fill(std::span<CuratePair* const> pairs, std::span<const float> images) {
  std::vector<std::string> captions;
  for (const CuratePair* pair : pairs) captions.push_back(pair->row.caption);
  const std::vector<float> texts = captions_.of(captions);
  const std::vector<float> aesthetic =
      aesthetic_ ? aesthetic_->scores(context_, images) : std::vector<float>();
  const std::vector<float> unsafe =
      unsafe_ ? unsafe_->scores(context_, images) : std::vector<float>();
  const auto in_test_set = test_set_.nearest(context_, images);
  for (size_t i = 0; i < pairs.size(); ++i) {
    CurateRow& row = pairs[i]->row;
    const float* image = images.data() + i * dim_;
    row.similarity = dot(image, texts.data() + i * dim_, dim_);
    if (aesthetic_) row.aesthetic = aesthetic[i];
    if (unsafe_) row.unsafe = unsafe[i];
    if (test_set_.size() > 0) row.contaminated = in_test_set[i].cosine;
    std::vector<std::pair<float, size_t>> tags;
    for (size_t t = 0; t < request_.tags.size(); ++t)
      tags.emplace_back(-dot(image, tag_vectors_.data() + t * dim_, dim_), t);
    std::sort(tags.begin(), tags.end());
    for (size_t t = 0; t < std::min(kNotedTags, tags.size()); ++t)
      row.tags.push_back(request_.tags[tags[t].second]);
  }
}

std::vector<float> Judge::judge(const std::string& shard, std::span<CuratePair> pairs) {
  std::vector<CuratePair*> open;
  for (CuratePair& pair : pairs)
    if (pair.row.reason.empty()) open.push_back(&pair);
  if (open.empty()) return {};
  const std::vector<float> images = image_features(open);
  fill(open, images);
  const auto earlier = looks_for_duplicates() ? kept_.nearest(context_, images)
                                              : std::vector<NeighbourSet::Nearest>();
  std::vector<float> kept;
  std::vector<std::string> kept_keys;
  const auto& rejected = request_.rejected_tags;
  for (size_t i = 0; i < open.size(); ++i) {
    CurateRow& row = open[i]->row;
    const float* image = images.data() + i * dim_;
    if (looks_for_duplicates() && earlier[i].row >= 0) {
      row.duplicate = earlier[i].cosine;
      row.duplicate_of = kept_names_[earlier[i].row];
    }
    if (looks_for_duplicates())
      for (size_t k = 0; k < kept_keys.size(); ++k) {
        const float cosine = dot(image, kept.data() + k * dim_, dim_);
        if (row.duplicate && cosine <= *row.duplicate) continue;
        row.duplicate = cosine;
        row.duplicate_of = shard + "/" + kept_keys[k];
      }
    row.reason = broken_model_rule(request_.rules, row);
    if (row.reason != "duplicate") row.duplicate_of.clear();
    if (row.reason.empty() && !row.tags.empty() &&
        std::find(rejected.begin(), rejected.end(), row.tags.front()) != rejected.end())
      row.reason = "tag";
    if (!row.reason.empty()) continue;
    kept.insert(kept.end(), image, image + dim_);
    kept_keys.push_back(row.key);
  }
  if (looks_for_duplicates()) remember(shard, kept_keys, kept);
  return kept;
}

void Judge::remember(const std::string& shard, std::span<const std::string> keys,
                     std::span<const float> features) {
  kept_.add(context_, features);
  for (const std::string& key : keys) kept_names_.push_back(shard + "/" + key);
}

}  // namespace openclip
