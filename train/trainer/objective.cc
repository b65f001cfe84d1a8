#include "trainer/objective.h"

#include <c10/core/GradMode.h>

#include "data/random.h"
#include "loss/auxiliary.h"
#include "loss/caption.h"
#include "loss/contrastive.h"
#include "loss/projection_head.h"
#include "loss/sigmoid.h"
#include "trainer/autocast.h"

namespace openclip::train {
namespace {

// Purposes of patch dropout's random numbers.
constexpr uint64_t kPairs = 0, kFirstView = 1, kSecondView = 2;

// torch.nn.functional.normalize
at::Tensor normalise(const at::Tensor& features) {
  const at::Tensor x = features.to(at::kFloat);
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

template <class Item, class Get>
at::Tensor joined(const std::vector<Item>& items, const Get& get) {
  std::vector<at::Tensor> parts;
  for (const Item& item : items)
    if (const at::Tensor& part = get(item); part.defined()) parts.push_back(part.detach());
  return parts.empty() ? at::Tensor() : parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace

Objective::Objective(const ModelConfig& config, TensorStore& model, TensorStore& auxiliary,
                     const ObjectiveOptions& options, Communicator& processes)
    : config_(config),
      model_(model),
      auxiliary_(auxiliary),
      options_(options),
      processes_(processes) {
  if (!config.decoder) options_.contrastive_weight = 1;  // of a CoCa's two losses
}

// Which patches stay: open_clip's rule, drawn for each picture by its number in the run.
at::Tensor Objective::kept_patches(const at::Tensor& rows, uint64_t purpose) const {
  if (options_.patch_dropout <= 0) return {};
  const int64_t grid = config_.vision.image_size / config_.vision.patch_size;
  const int64_t patches = grid * grid, count = rows.size(0);
  const auto kept = std::max<int64_t>(
      1, static_cast<int64_t>(static_cast<double>(patches) * (1 - options_.patch_dropout)));
  at::Tensor chosen = at::empty({count, kept}, at::kLong);
  const at::Tensor numbers = rows.cpu();
  std::vector<int64_t> order(static_cast<size_t>(patches));
  for (int64_t row = 0; row < count; ++row) {
    Random random{options_.seed, static_cast<uint64_t>(numbers.data_ptr<int64_t>()[row]), purpose,
                  0xD409};
    for (int64_t i = 0; i < patches; ++i) order[i] = i;
    random.shuffle(order);
    std::copy_n(order.begin(), kept, chosen.data_ptr<int64_t>() + row * kept);
  }
  return chosen.to(rows.device());
}

ImageOutput Objective::encode_pictures(const at::Tensor& pixels, const at::Tensor& rows,
                                       BatchNormMode mode, uint64_t purpose) {
  ImageForward forward{.batch_norm = options_.image_locked && options_.freeze_batch_norm
                                         ? BatchNormMode::running
                                         : mode,
                       .checkpointing = options_.checkpointing};
  if (options_.image_locked) {
    const c10::NoGradGuard no_grad;
    return encode_image(config_, model_, pixels, forward);
  }
  forward.kept_patches = kept_patches(rows, purpose);
  return encode_image(config_, model_, pixels, forward);
}

void Objective::encode_pairs(const Batch& batch, BatchNormMode mode, Features& features) {
  const ImageOutput image = encode_pictures(batch.pixels, batch.rows, mode, kPairs);
  features.image = normalise(image.features);
  features.pooled = image.pooled.to(at::kFloat);
  const bool extra = batch.extra_ids.defined();
  const int64_t pairs = batch.ids.size(0);
  const TextOutput output =
      encode_text(config_, model_, extra ? at::cat({batch.ids, batch.extra_ids}) : batch.ids,
                  options_.checkpointing);
  const at::Tensor text = normalise(output.features);
  features.text = text.slice(0, 0, pairs);
  if (extra) features.extra_text = text.slice(0, pairs);
  if (config_.decoder && mode != BatchNormMode::batch)
    features.caption = caption_loss(config_, model_, image.tokens, output.tokens.slice(0, 0, pairs),
                                    batch.ids, options_.checkpointing);
}

// Of all processes.
int64_t Objective::count_caption_tokens(const std::vector<Batch>& batches) {
  if (!config_.decoder || !options_.contrast) return 0;
  int64_t count = 0;
  for (const Batch& batch : batches) count += caption_tokens(config_, batch.ids);
  at::Tensor sum = at::full({1}, count, at::kDouble).to(batches.front().ids.device());
  processes_.all_reduce(sum);
  return std::max<int64_t>(1, sum.item<int64_t>());
}

void Objective::encode_views(const Batch& batch, BatchNormMode mode, Features& features) {
  const int64_t pictures = batch.views.size(0) / 2;
  const auto view = [&](int64_t first, uint64_t purpose) {
    const ImageOutput image =
        encode_pictures(batch.views.slice(0, first, first + pictures), batch.rows, mode, purpose);
    return normalise(ProjectionHead::project(auxiliary_, image.pooled));
  };
  features.first = view(0, kFirstView);
  features.second = view(pictures, kSecondView);
}

Objective::Features Objective::encode(const Batch& batch, bool last_pass) {
  const Autocast autocast(options_.arithmetic, batch.rows.device().type());
  const BatchNormMode mode = last_pass ? BatchNormMode::batch_update : BatchNormMode::batch;
  Features features;
  if (options_.contrast) encode_pairs(batch, mode, features);
  if (options_.views > 0) encode_views(batch, mode, features);
  return features;
}

LossGradient Objective::contrast(const std::vector<Features>& features,
                                 const std::vector<Batch>& batches) {
  const at::Tensor image = joined(features, [](const Features& f) { return f.image; });
  const at::Tensor text = joined(features, [](const Features& f) { return f.text; });
  const double scale = model_.get("logit_scale").exp().item<double>();
  if (options_.sigmoid)
    return sigmoid_loss(
        {.image = image,
         .text = text,
         .scale = scale,
         .bias = config_.has_logit_bias ? model_.get("logit_bias").item<double>() : 0},
        processes_);
  ContrastInput input{.image = image, .text = text, .scale = scale};
  if (options_.label_positives) {
    input.labels = joined(batches, [](const Batch& b) { return b.labels; });
    input.extra_labels = joined(batches, [](const Batch& b) { return b.extra_labels; });
  }
  input.extra_text = joined(features, [](const Features& f) { return f.extra_text; });
  if (options_.teacher != nullptr) {
    const Teacher& teacher = *options_.teacher;
    std::vector<Features> taught;
    for (const Batch& batch : batches) {
      const Autocast autocast(options_.arithmetic, batch.rows.device().type());
      const c10::NoGradGuard no_grad;
      Features answer;
      answer.image = normalise(encode_image(teacher.config, teacher.model, batch.pixels).features);
      answer.text = normalise(encode_text(teacher.config, teacher.model, batch.ids).features);
      taught.push_back(answer);
    }
    input.teacher_image = joined(taught, [](const Features& f) { return f.image; });
    input.teacher_text = joined(taught, [](const Features& f) { return f.text; });
    input.teacher_scale = teacher.model.get("logit_scale").exp().item<double>();
  }
  return contrastive_loss(input, processes_);
}

Objective::StepGradient Objective::loss_gradients(const std::vector<Features>& features,
                                                  const std::vector<Batch>& batches,
                                                  StepLosses& values) {
  const c10::NoGradGuard no_grad;
  StepGradient gradient;
  if (options_.contrast) {
    gradient.contrast = contrast(features, batches);
    values.contrastive = gradient.contrast.loss;
    values.distillation = gradient.contrast.distillation;
  }
  if (options_.views > 0) {
    gradient.views =
        nt_xent_loss({.first = joined(features, [](const Features& f) { return f.first; }),
                      .second = joined(features, [](const Features& f) { return f.second; }),
                      .temperature = options_.views_temperature},
                     processes_);
    values.views = gradient.views.loss;
  }
  return gradient;
}

// A number whose gradient is that of the losses: features times their gradients.
at::Tensor Objective::surrogate(const Features& features, const StepGradient& gradient,
                                const std::vector<Features>& all, size_t index) const {
  at::Tensor sum;
  const auto add = [&](at::Tensor Features::*member, const at::Tensor& of_all, double weight) {
    if (!(features.*member).defined()) return;
    int64_t first = 0;
    for (size_t i = 0; i < index; ++i) first += (all[i].*member).size(0);
    const at::Tensor part =
        ((features.*member) * of_all.slice(0, first, first + (features.*member).size(0))).sum() *
        weight;
    sum = sum.defined() ? sum + part : part;
  };
  add(&Features::image, gradient.contrast.image, options_.contrastive_weight);
  add(&Features::text, gradient.contrast.text, options_.contrastive_weight);
  add(&Features::extra_text, gradient.contrast.extra_text, options_.contrastive_weight);
  add(&Features::first, gradient.views.image, options_.views);
  add(&Features::second, gradient.views.text, options_.views);
  const bool last = index + 1 == all.size();
  if (!options_.contrast || !last) return sum;
  sum = sum + model_.get("logit_scale").exp().sum() *
                  (options_.contrastive_weight * gradient.contrast.scale);
  if (options_.sigmoid && config_.has_logit_bias)
    sum = sum +
          model_.get("logit_bias").sum() * (options_.contrastive_weight * gradient.contrast.bias);
  return sum;
}

// The losses that are sums over pairs; `share` is the batch's part of the step.
at::Tensor Objective::auxiliary_losses(const Features& features, const Batch& batch, double share,
                                       StepLosses& values) {
  at::Tensor sum;
  const auto add = [&](const at::Tensor& loss, double weight, double& value) {
    value += share * loss.item<double>();
    const at::Tensor part = share * weight * loss;
    sum = sum.defined() ? sum + part : part;
  };
  if (options_.concept_table > 0)
    add(ConceptTable::loss(auxiliary_, features.image, features.text, batch.labels),
        options_.concept_table, values.concept_table);
  if (options_.concept_align > 0)
    add(ConceptTable::alignment(auxiliary_, features.text, batch.labels), options_.concept_align,
        values.concept_align);
  if (options_.hog_distill > 0)
    add(HogHead::loss(auxiliary_, features.pooled, batch.hog), options_.hog_distill, values.hog);
  return sum;
}

void Objective::sum_over_processes(StepLosses& v) {
  const auto parts = {&StepLosses::contrastive,   &StepLosses::distillation,  &StepLosses::views,
                      &StepLosses::concept_table, &StepLosses::concept_align, &StepLosses::hog,
                      &StepLosses::caption};
  std::vector<double> values;
  for (const auto part : parts) values.push_back(v.*part);
  at::Tensor sum = at::tensor(values, at::kDouble).to(model_.get("logit_scale").device());
  processes_.all_reduce(sum);
  sum = sum.cpu();
  int i = 0;
  for (const auto part : parts) v.*part = sum.data_ptr<double>()[i++];
  v.total = options_.contrastive_weight * v.contrastive + options_.caption_weight * v.caption +
            v.distillation + options_.views * v.views + options_.concept_table * v.concept_table +
            options_.concept_align * v.concept_align + options_.hog_distill * v.hog;
}

StepLosses Objective::accumulate_gradients(const std::vector<Batch>& batches,
                                           GradientReducer* reducer) {
  StepLosses values;
  const bool one = batches.size() == 1;
  std::vector<Features> features;
  {
    const c10::AutoGradMode with_graph(one);
    for (const Batch& batch : batches) features.push_back(encode(batch, /*last_pass=*/one));
  }
  const StepGradient gradient = loss_gradients(features, batches, values);
  // A block that is computed again for each view gets its gradient in several parts.
  const bool overlap = reducer != nullptr && !(options_.checkpointing && options_.views > 0);
  const auto caption_count = static_cast<double>(count_caption_tokens(batches));
  const double share = 1.0 / static_cast<double>(batches.size() * processes_.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    const Features with_graph = one ? features[0] : encode(batches[i], /*last_pass=*/true);
    at::Tensor loss = surrogate(with_graph, gradient, features, i);
    const at::Tensor more = auxiliary_losses(with_graph, batches[i], share, values);
    if (more.defined()) loss = loss + more;
    if (with_graph.caption.defined()) {
      loss = loss + with_graph.caption * (options_.caption_weight / caption_count);
      values.caption += with_graph.caption.item<double>() / caption_count;
    }
    if (overlap && i + 1 == batches.size()) reducer->begin();
    if (loss.requires_grad()) (loss * options_.loss_scale).backward();
  }
  if (reducer != nullptr && !overlap) reducer->begin();
  if (reducer != nullptr) reducer->finish();
  sum_over_processes(values);
  return values;
}

}  // namespace openclip::train
