// ZeroShotClassifier of the C++ API. Rank 6.
#include "openclip/zero_shot.h"

#include "api/impl.h"
#include "api/translate.h"
#include "base/error.h"
#include "tasks/templates.h"
#include "tasks/zero_shot.h"

namespace openclip::v0 {

struct ZeroShotClassifier::Impl {
  openclip::ZeroShotClassifier classifier;
  size_t dim;

  void check(std::span<const float> image_features) const {
    check_arg(image_features.size() == dim,
              "[classify] the features of a picture are {} numbers, got {}", dim,
              image_features.size());
  }
};

ZeroShotClassifier::ZeroShotClassifier(const Model& model, const Tokenizer& tokenizer,
                                       std::vector<std::string> labels,
                                       const std::vector<std::string>& templates)
    : impl_(translated([&] {
        return std::make_shared<const Impl>(
            Impl{{model.impl().context, *model.impl().model, *tokenizer.impl().tokenizer,
                  std::move(labels), templates},
                 model.embed_dim()});
      })) {}

const std::vector<std::string>& ZeroShotClassifier::labels() const {
  return impl_->classifier.labels();
}

std::span<const float> ZeroShotClassifier::vectors() const { return impl_->classifier.vectors(); }

std::vector<double> ZeroShotClassifier::probabilities(std::span<const float> image_features) const {
  return translated([&] {
    impl_->check(image_features);
    return impl_->classifier.probabilities(image_features);
  });
}

std::vector<ScoredLabel> ZeroShotClassifier::top(std::span<const float> image_features,
                                                 size_t count) const {
  return translated([&] {
    impl_->check(image_features);
    std::vector<ScoredLabel> best;
    for (const openclip::ScoredLabel& item : impl_->classifier.top(image_features, count))
      best.push_back({item.label, item.score});
    return best;
  });
}

std::vector<std::string> template_set(std::string_view name) {
  return translated([&] { return openclip::template_set(name); });
}

}  // namespace openclip::v0
