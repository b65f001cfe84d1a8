#include "tasks/zero_shot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "tasks/templates.h"

namespace openclip {
namespace {

// Prompts made at once: the features of so many, of 512 numbers each, take 33 MB.
constexpr size_t kPromptsAtOnce = 16384;

std::vector<size_t> alphabetical(const std::vector<std::string>& texts) {
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a] < texts[b]; });
  return order;
}

}  // namespace

ZeroShotClassifier::ZeroShotClassifier(const Context& context, const Model& model,
                                       const Tokenizer& tokenizer, std::vector<std::string> labels,
                                       const std::vector<std::string>& templates, CutTexts* cut)
    : ZeroShotClassifier(
          [&](std::span<const std::string> prompts) {
            // All prompts make one classifier, so their last bits may depend on each other.
            return encode_texts(context.with_strassen(), model, tokenizer, prompts,
                                /*normalize=*/true, cut);
          },
          model, std::move(labels), templates) {}

ZeroShotClassifier::ZeroShotClassifier(const EncodePrompts& encode, const Model& model,
                                       std::vector<std::string> labels,
                                       const std::vector<std::string>& templates)
    : labels_(std::move(labels)),
      logit_scale_(model.logit_scale()),
      logit_bias_(model.logit_bias()) {
  check_arg(!labels_.empty(), "there is no label");
  check_templates(templates);
  const size_t dim = static_cast<size_t>(model.config().embed_dim);
  vectors_.assign(labels_.size() * dim, 0.0f);
  // Template by template, and in the order of the alphabet: prompts that begin alike, as those of
  // one template do, are computed together.
  const std::vector<size_t> template_order = alphabetical(templates);
  const std::vector<size_t> label_order = alphabetical(labels_);
  const size_t count = templates.size() * labels_.size();
  for (size_t begin = 0; begin < count; begin += kPromptsAtOnce) {
    const size_t end = std::min(begin + kPromptsAtOnce, count);
    const auto label_of = [&](size_t prompt) { return label_order[prompt % labels_.size()]; };
    std::vector<std::string> prompts;
    for (size_t i = begin; i < end; ++i)
      prompts.push_back(
          fill_template(templates[template_order[i / labels_.size()]], labels_[label_of(i)]));
    const std::vector<float> features = encode(prompts);
    // The sum in place of the mean: the normalisation below takes the factor out.
    for (size_t i = begin; i < end; ++i)
      for (size_t j = 0; j < dim; ++j)
        vectors_[label_of(i) * dim + j] += features[(i - begin) * dim + j];
  }
  normalize_rows(vectors_, static_cast<int64_t>(dim));
}

ZeroShotClassifier::ZeroShotClassifier(std::vector<std::string> labels, std::vector<float> vectors,
                                       const Model& model)
    : labels_(std::move(labels)),
      vectors_(std::move(vectors)),
      logit_scale_(model.logit_scale()),
      logit_bias_(model.logit_bias()) {
  check_arg(!labels_.empty(), "there is no label");
  check_arg(vectors_.size() % labels_.size() == 0, "[zero_shot] {} numbers for {} labels",
            vectors_.size(), labels_.size());
}

std::vector<double> ZeroShotClassifier::probabilities(std::span<const float> image) const {
  const size_t dim = image.size();
  double square = 0;
  for (const float x : image) square += static_cast<double>(x) * x;
  const double scale = logit_scale_ / std::max(std::sqrt(square), 1e-12);
  std::vector<double> scores(labels_.size());
  for (size_t label = 0; label < scores.size(); ++label)
    scores[label] =
        scale * std::inner_product(image.begin(), image.end(),
                                   vectors_.begin() + static_cast<long>(label * dim), 0.0);
  if (logit_bias_) {
    for (double& score : scores) score = 1 / (1 + std::exp(-(score + *logit_bias_)));
    return scores;
  }
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - most);
  for (double& score : scores) score /= sum;
  return scores;
}

std::vector<ScoredLabel> ZeroShotClassifier::top(std::span<const float> image_features,
                                                 size_t count) const {
  const std::vector<double> scores = probabilities(image_features);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<long>(count), order.end(),
      [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::vector<ScoredLabel> best;
  for (size_t i = 0; i < count; ++i) best.push_back({labels_[order[i]], scores[order[i]]});
  return best;
}

}  // namespace openclip
