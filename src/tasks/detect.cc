#include "tasks/detect.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "models/preprocess_config.h"
#include "tasks/detect_search.h"
#include "tasks/label_vectors.h"
#include "tasks/labels.h"
#include "tasks/prepare_picture.h"
#include "tasks/zero_shot.h"

namespace openclip {
namespace {

// Least probability of a detection that is shown without --threshold.
constexpr double kThreshold = 0.3;
// Those of the papers' own demonstrations; boxes overlap as each patch predicts one.
constexpr double kOwlThreshold = 0.1;
constexpr double kOwlOverlap = 0.5;

const std::vector<std::string> kGeneralDistractors = {"background",
                                                      "nothing",
                                                      "empty space",
                                                      "a plain surface",
                                                      "texture",
                                                      "pattern",
                                                      "sky",
                                                      "clouds",
                                                      "grass",
                                                      "water",
                                                      "wall",
                                                      "floor",
                                                      "ground",
                                                      "sand",
                                                      "wood",
                                                      "foliage",
                                                      "blur",
                                                      "shadow",
                                                      "a part of something",
                                                      "something else"};

// Labels of the model's folder where it has some. Their vectors take long, so they are kept.
std::vector<float> distractor_vectors(const Context& context, const ModelSource& source,
                                      const Model& model, const Tokenizer& tokenizer) {
  std::vector<std::string> words;
  try {
    words = model_labels(source.folder, "");
  } catch (const NotFound&) {
    return encode_texts(context, model, tokenizer, kGeneralDistractors);
  }
  const std::vector<std::string> templates{"{}"};
  const std::string key = label_vectors_key(source, words, templates);
  if (auto kept = find_label_vectors(source, key, words.size())) return *kept;
  std::vector<float> vectors = encode_texts(context, model, tokenizer, words);
  keep_label_vectors(source, key, vectors);
  return vectors;
}

double threshold_of(const DetectOptions& options, double own) {
  const double threshold = options.threshold.value_or(own);
  check_arg(threshold > 0 && threshold < 1, "the threshold must lie between 0 and 1, got {}",
            threshold);
  return threshold;
}

// Boxes of each label as one list, best first; `score_of` turns their scores into probabilities.
std::vector<Detection> ranked(const std::vector<std::string>& labels,
                              const std::vector<std::vector<ScoredBox>>& found,
                              const DetectOptions& options, double (*score_of)(double)) {
  std::vector<Detection> out;
  for (size_t label = 0; label < found.size(); ++label)
    for (const ScoredBox& box : found[label])
      out.push_back({labels[label], label, score_of(box.score), box.box});
  std::stable_sort(out.begin(), out.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  out.resize(std::min(out.size(), options.most));
  return out;
}

// Predicts boxes with the heads of the model.
class OwlDetector final : public Detector {
 public:
  OwlDetector(const ModelSource& source, std::shared_ptr<const Model> model,
              std::shared_ptr<const Tokenizer> tokenizer)
      : model_(std::move(model)),
        tokenizer_(std::move(tokenizer)),
        preprocess_(preprocess_config(source.config)) {}

  std::vector<Detection> detect(const Context& context, const Image& image,
                                const std::vector<std::string>& labels,
                                const DetectOptions& options) const override {
    check_arg(!labels.empty(), "there is no label");
    return find(context, image, labels, encode_texts(context, *model_, *tokenizer_, labels),
                options);
  }

  std::vector<Detection> detect_like(const Context& context, const Image& image,
                                     const Image& example, const std::string& name,
                                     const DetectOptions& options) const override {
    return find(context, image, {name},
                model_->box_query(context, tower_pixels(example, preprocess_).data()), options);
  }

 private:
  std::vector<Detection> find(const Context& context, const Image& image,
                              const std::vector<std::string>& labels,
                              const std::vector<float>& queries,
                              const DetectOptions& options) const {
    const double threshold = threshold_of(options, kOwlThreshold);
    const double overlap = options.overlap.value_or(kOwlOverlap);
    const auto count = static_cast<int64_t>(labels.size());
    const BoxPredictions said =
        model_->predict_boxes(context, tower_pixels(image, preprocess_).data(),
                              {queries.data(), count, model_->config().embed_dim});
    // Boxes are parts of what the tower saw: the picture, or the square that it was padded to.
    const bool padded = preprocess_.resize_mode == ResizeMode::pad_blur;
    const double width = padded ? std::max(image.width, image.height) : image.width;
    const double height = padded ? std::max(image.width, image.height) : image.height;
    std::vector<std::vector<ScoredBox>> found(labels.size());
    for (size_t i = 0; i < said.boxes.size() / 4; ++i) {
      const auto row = said.logits.begin() + static_cast<int64_t>(i) * count;
      const auto best = std::max_element(row, row + count);
      const double score = probability_of(*best);
      if (score <= threshold) continue;
      const float* box = &said.boxes[4 * i];
      found[static_cast<size_t>(best - row)].push_back(
          {{(box[0] - 0.5 * box[2]) * width, (box[1] - 0.5 * box[3]) * height,
            (box[0] + 0.5 * box[2]) * width, (box[1] + 0.5 * box[3]) * height},
           score});
    }
    if (overlap < 1)
      for (auto& boxes : found) boxes = merge_boxes(std::move(boxes), {.overlap = overlap});
    return ranked(labels, found, options, [](double score) { return score; });
  }

  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  PreprocessConfig preprocess_;
};

// Searches with a model that knows whole pictures only.
class ClipDetector final : public Detector {
 public:
  ClipDetector(const Context& context, const ModelSource& source,
               std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer)
      : model_(std::move(model)),
        tokenizer_(std::move(tokenizer)),
        preprocess_(preprocess_config(source.config)) {
    if (!model_->logit_bias())
      distractors_ = distractor_vectors(context, source, *model_, *tokenizer_);
  }

  std::vector<Detection> detect(const Context& context, const Image& image,
                                const std::vector<std::string>& labels,
                                const DetectOptions& options) const override {
    check_arg(!labels.empty(), "there is no label");
    const double threshold = threshold_of(options, kThreshold);
    const std::vector<float> vectors = encode_texts(context, *model_, *tokenizer_, labels);
    const LabelJudge judge(context, vectors, distractors_, *model_);
    const DetectTask task{context, *model_, preprocess_,
                          judge,   options, std::log(threshold / (1 - threshold))};
    const auto found = options.method == DetectMethod::windows ? search_windows(task, image)
                                                               : search_dense(task, image);
    return ranked(labels, found, options, probability_of);
  }

  std::vector<Detection> detect_like(const Context&, const Image&, const Image&, const std::string&,
                                     const DetectOptions&) const override {
    throw Unsupported(
        "only models with box heads (OWL-ViT, OWLv2) find more of what a picture shows");
  }

 private:
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  PreprocessConfig preprocess_;
  std::vector<float> distractors_;
};

}  // namespace

std::unique_ptr<const Detector> make_detector(const Context& context, const ModelSource& source,
                                              std::shared_ptr<const Model> model,
                                              std::shared_ptr<const Tokenizer> tokenizer) {
  if (model->config().boxes != BoxHeads::none)
    return std::make_unique<OwlDetector>(source, std::move(model), std::move(tokenizer));
  return std::make_unique<ClipDetector>(context, source, std::move(model), std::move(tokenizer));
}

}  // namespace openclip
