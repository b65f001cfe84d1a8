// The benchmarks: zero-shot classification, retrieval and the linear probe. Rank 5.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "tasks/eval/dataset.h"
#include "tasks/eval/encode_dataset.h"
#include "tasks/eval/result.h"
#include "text/tokenizer.h"

namespace openclip {

/// Zero-shot classification: class vector = normalised mean of the normalised features of the
/// filled templates; a picture's class is the nearest. Metrics acc1, acc5, mean_per_class_recall,
/// or mean_average_precision for several labels a picture. The names of data set and model are left
/// to the caller. Throws: InvalidArgument for captions in place of classes, or templates without
/// "{}".
EvalResult evaluate_zero_shot(const Context& context, const Model& model,
                              const Tokenizer& tokenizer, EvalDataset& dataset,
                              const std::vector<std::string>& templates,
                              const EvalListener& listener = {});

/// Retrieval both ways: image_retrieval_recall@k is the share of captions whose picture is among
/// the k nearest, text_retrieval_recall@k that of pictures with one of their captions among them.
/// Throws: InvalidArgument for classes in place of captions.
EvalResult evaluate_retrieval(const Context& context, const Model& model,
                              const Tokenizer& tokenizer, EvalDataset& dataset,
                              const std::vector<int>& recall_k, const EvalListener& listener = {});

struct LinearProbeOptions {
  double c = 0;       // inverse strength of the penalty; 0 = chosen on held-out training pictures
  int shots = 0;      // training pictures of each class; 0 = all
  uint64_t seed = 0;  // of the choice of shots and held-out pictures
  int max_iterations = 1000;
};

/// Linear probe: logistic regression on the features of `train`, measured on `test`. Metrics
/// lp_acc1, lp_acc5, lp_mean_per_class_recall, and c, the penalty's inverse strength in use. Where
/// it is chosen, a fifth of each class of the training pictures (at least one) is held out, and a
/// search over 1e-6 … 1e6, as in CLIP's paper, narrows in on the best; then all pictures are used.
/// Throws: InvalidArgument for other data sets, different classes, or too few pictures of a class.
EvalResult evaluate_linear_probe(const Context& context, const Model& model, EvalDataset& train,
                                 EvalDataset& test, const LinearProbeOptions& options,
                                 const EvalListener& listener = {});

/// Ranks of the right classes by `scores` [samples, classes], with the samples' classes; what
/// classification_metrics takes.
struct RankedTargets {
  std::vector<int64_t> ranks;
  std::vector<int32_t> targets;
};
RankedTargets rank_targets(std::span<const float> scores, std::span<const EvalSample> samples,
                           size_t classes);

}  // namespace openclip
