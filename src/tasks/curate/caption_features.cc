#include "tasks/curate/caption_features.h"

#include "tasks/features.h"

namespace openclip {

CaptionFeatures::CaptionFeatures(const Context& context, const Model& model,
                                 const Tokenizer& tokenizer, size_t limit)
    : context_(context),
      model_(model),
      tokenizer_(tokenizer),
      dim_(static_cast<size_t>(model.config().embed_dim)),
      limit_(limit) {}

std::vector<float> CaptionFeatures::of(std::span<const std::string> captions) {
  if (bytes_ > limit_) {
    rows_.clear();
    features_.clear();
    bytes_ = 0;
  }
  std::vector<std::string> unseen;
  for (const std::string& caption : captions)
    if (!rows_.contains(caption)) unseen.push_back(caption);
  const std::vector<float> found = encode_texts(context_, model_, tokenizer_, unseen);
  for (size_t i = 0; i < unseen.size(); ++i) {
    if (!rows_.try_emplace(unseen[i], rows_.size()).second) continue;  // twice among these
    ++encoded_;
    const auto row = found.begin() + static_cast<std::ptrdiff_t>(i * dim_);
    features_.insert(features_.end(), row, row + static_cast<std::ptrdiff_t>(dim_));
    bytes_ += unseen[i].size() + sizeof(*rows_.begin()) + dim_ * sizeof(float);
  }
  std::vector<float> out;
  for (const std::string& caption : captions) {
    const auto row = features_.begin() + static_cast<std::ptrdiff_t>(rows_.at(caption) * dim_);
    out.insert(out.end(), row, row + static_cast<std::ptrdiff_t>(dim_));
  }
  return out;
}

}  // namespace openclip
