#include "trainer/objective.h"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "loss/auxiliary.h"

namespace openclip::train {
namespace {

// torch.nn.functional.normalize
at::Tensor normalise(const at::Tensor& x) {
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

// bf16 arithmetic where PyTorch deems it safe, for the life of the object.
class Autocast {
 public:
  Autocast(bool enabled, at::DeviceType device) : enabled_(enabled), device_(device) {
    if (!enabled_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
  }
  ~Autocast() {
    if (!enabled_) return;
    at::autocast::set_autocast_enabled(device_, false);
    at::autocast::clear_cache();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  at::DeviceType device_;
};

}  // namespace

Objective::Objective(const ModelConfig& config, TensorStore& model, TensorStore& auxiliary,
                     const ObjectiveOptions& options)
    : config_(config), model_(model), auxiliary_(auxiliary), options_(options) {}

Objective::Features Objective::encode(const Batch& batch) {
  const Autocast autocast(options_.bf16, batch.pixels.device().type());
  const ImageOutput image = encode_pictures(batch.pixels);
  const bool extra = batch.extra_ids.defined();
  const int64_t pairs = batch.ids.size(0);
  const at::Tensor text = normalise(
      encode_text(config_, model_, extra ? at::cat({batch.ids, batch.extra_ids}) : batch.ids)
          .to(at::kFloat));
  return {normalise(image.features.to(at::kFloat)), text.slice(0, 0, pairs),
          image.pooled.to(at::kFloat), extra ? text.slice(0, pairs) : at::Tensor()};
}

ImageOutput Objective::encode_pictures(const at::Tensor& pixels) {
  const bool training = !(options_.image_locked && options_.freeze_batch_norm);
  if (!options_.image_locked) return encode_image(config_, model_, pixels, training);
  const c10::NoGradGuard no_grad;
  return encode_image(config_, model_, pixels, training);
}

ClipLossInput Objective::contrast(const at::Tensor& image, const at::Tensor& text,
                                  const at::Tensor& labels) {
  return {.image = image,
          .text = text,
          .scale = model_.get("logit_scale").exp(),
          .bias = config_.has_logit_bias ? model_.get("logit_bias") : at::Tensor(),
          .labels = options_.label_positives ? labels : at::Tensor()};
}

// Adds the auxiliary losses of one batch; `share` is its part of the step.
at::Tensor Objective::with_auxiliary(at::Tensor loss, const Features& features, const Batch& batch,
                                     double share, StepLosses& values) {
  if (options_.concept_table > 0) {
    const at::Tensor part =
        ConceptTable::loss(auxiliary_, features.image, features.text, batch.labels);
    values.concept_table += share * part.item<double>();
    loss = loss + share * options_.concept_table * part;
  }
  if (options_.concept_align > 0) {
    const at::Tensor part = ConceptTable::alignment(auxiliary_, features.text, batch.labels);
    values.concept_align += share * part.item<double>();
    loss = loss + share * options_.concept_align * part;
  }
  if (options_.hog_distill > 0) {
    const at::Tensor part = HogHead::loss(auxiliary_, features.pooled, batch.hog);
    values.hog += share * part.item<double>();
    loss = loss + share * options_.hog_distill * part;
  }
  return loss;
}

StepLosses Objective::accumulate_gradients(const std::vector<Batch>& batches) {
  StepLosses values;
  if (batches.size() == 1) {
    const Features features = encode(batches[0]);
    ClipLossInput input = contrast(features.image, features.text, batches[0].labels);
    input.extra_text = features.extra_text;
    input.extra_labels = batches[0].extra_labels;
    at::Tensor loss = clip_loss(input);
    values.contrastive = loss.item<double>();
    loss = with_auxiliary(loss, features, batches[0], 1, values);
    values.total = loss.item<double>();
    loss.backward();
    return values;
  }
  std::vector<at::Tensor> images, texts, labels;
  {
    const c10::NoGradGuard no_grad;
    for (const Batch& batch : batches) {
      const Features features = encode(batch);
      images.push_back(features.image);
      texts.push_back(features.text);
      labels.push_back(batch.labels);
    }
  }
  const at::Tensor all_labels = at::cat(labels);
  const double share = 1.0 / static_cast<double>(batches.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    const Features features = encode(batches[i]);
    std::vector<at::Tensor> with_image = images, with_text = texts;
    with_image[i] = features.image;
    with_text[i] = features.text;
    at::Tensor loss = clip_loss(contrast(at::cat(with_image), at::cat(with_text), all_labels));
    values.contrastive = loss.item<double>();
    loss = with_auxiliary(loss, features, batches[i], share, values);
    values.total += share * loss.item<double>();
    loss.backward();
  }
  return values;
}

}  // namespace openclip::train
