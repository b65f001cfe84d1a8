#include "tasks/eval/evaluate.h"

#include <algorithm>

#include "base/error.h"
#include "tasks/eval/retrieval_metrics.h"
#include "tasks/features.h"
#include "tasks/zero_shot.h"
#include "tensor/linear.h"

namespace openclip {
namespace {

EvalResult begin_result(const char* task, const EncodedDataset& encoded) {
  if (encoded.samples.empty()) throw NotFound("the data set has no sample that can be read");
  EvalResult result;
  result.task = task;
  result.samples = static_cast<int64_t>(encoded.samples.size());
  result.skipped = encoded.skipped;
  return result;
}

Estimate multilabel_precision(std::span<const float> scores, std::span<const EvalSample> samples,
                              size_t classes) {
  std::vector<uint8_t> targets;
  targets.reserve(scores.size());
  for (const EvalSample& sample : samples)
    targets.insert(targets.end(), sample.targets.begin(), sample.targets.end());
  Estimate undefined = proportion(0, 0);
  undefined.value = mean_average_precision(scores, targets, static_cast<int32_t>(classes));
  return undefined;
}

}  // namespace

RankedTargets rank_targets(std::span<const float> scores, std::span<const EvalSample> samples,
                           size_t classes) {
  RankedTargets out;
  for (size_t i = 0; i < samples.size(); ++i) {
    out.targets.push_back(samples[i].target);
    out.ranks.push_back(
        rank_of(scores.subspan(i * classes, classes), static_cast<size_t>(samples[i].target)));
  }
  return out;
}

EvalResult evaluate_zero_shot(const Context& context, const Model& model,
                              const Tokenizer& tokenizer, EvalDataset& dataset,
                              const std::vector<std::string>& templates,
                              const EvalListener& listener) {
  check_arg(dataset.kind != EvalKind::retrieval,
            "{}: has captions, not classes; measure its retrieval", dataset.name);
  const ZeroShotClassifier classifier(context, model, tokenizer, dataset.classes, templates);
  const EncodedDataset encoded = encode_dataset(context, model, *dataset.samples, listener);
  EvalResult result = begin_result("zeroshot_classification", encoded);
  const int64_t dim = model.config().embed_dim;
  const int64_t classes = static_cast<int64_t>(dataset.classes.size());
  std::vector<float> scores(encoded.samples.size() * dataset.classes.size());
  linear(context, {encoded.features.data(), result.samples, dim},
         Linear(context, classifier.vectors(), {}, {dim, classes}),
         {scores.data(), result.samples, classes});
  if (dataset.kind == EvalKind::multilabel) {
    result.metrics = {{"mean_average_precision",
                       multilabel_precision(scores, encoded.samples, dataset.classes.size())}};
    return result;
  }
  const RankedTargets ranked = rank_targets(scores, encoded.samples, dataset.classes.size());
  const ClassificationMetrics metrics =
      classification_metrics(ranked.ranks, ranked.targets, static_cast<int32_t>(classes));
  result.metrics = {{"acc1", metrics.acc1},
                    {"acc5", metrics.acc5},
                    {"mean_per_class_recall", metrics.mean_per_class_recall}};
  return result;
}

EvalResult evaluate_retrieval(const Context& context, const Model& model,
                              const Tokenizer& tokenizer, EvalDataset& dataset,
                              const std::vector<int>& recall_k, const EvalListener& listener) {
  check_arg(dataset.kind == EvalKind::retrieval,
            "{}: has classes, not captions; measure zero-shot classification", dataset.name);
  for (const int k : recall_k) check_arg(k > 0, "recall at {}: must be above 0", k);
  const EncodedDataset encoded = encode_dataset(context, model, *dataset.samples, listener);
  EvalResult result = begin_result("zeroshot_retrieval", encoded);
  std::vector<std::string> texts;
  std::vector<int64_t> image_of_text;
  for (size_t i = 0; i < encoded.samples.size(); ++i)
    for (const std::string& caption : encoded.samples[i].captions) {
      texts.push_back(caption);
      image_of_text.push_back(static_cast<int64_t>(i));
    }
  const std::vector<float> features = encode_texts(context, model, tokenizer, texts);
  const RetrievalRanks ranks =
      retrieval_ranks(context, encoded.features, features, model.config().embed_dim, image_of_text);
  for (const int k : recall_k) {
    result.metrics.emplace_back(fmt::format("image_retrieval_recall@{}", k),
                                recall_at(ranks.of_text, k));
    result.metrics.emplace_back(fmt::format("text_retrieval_recall@{}", k),
                                recall_at(ranks.of_image, k));
  }
  return result;
}

}  // namespace openclip
