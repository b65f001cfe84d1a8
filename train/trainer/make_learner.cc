#include <ATen/Parallel.h>

#include <cmath>

#include "augment/hog.h"
#include "base/error.h"
#include "loss/auxiliary.h"
#include "loss/projection_head.h"
#include "model/linear.h"
#include "trainer/device.h"
#include "trainer/parts.h"

namespace openclip::train {
namespace {

int64_t pooled_width(const ModelConfig& config) {
  return int64_t{config.vision.width} * (config.vision.is_resnet ? 32 : 1);
}

void set_weights(Learner& learner, const Options& options, const ModelSource& source) {
  learner.model = TensorStore::create(model_tensors(source.config), options.seed);
  if (options.siglip) {  // its starting scale; a checkpoint's own is loaded below
    at::Tensor scale = learner.model.get("logit_scale").detach();
    scale.fill_(std::log(10.0));
  }
  const LoadOptions resize{.only_prefix = "", .resize_positions = true};
  if (!source.weights.empty()) load_weights(learner.model, source.weights, resize);
  if (!options.pretrained_image.empty())
    load_weights(learner.model, options.pretrained_image,
                 {.only_prefix = "visual.", .resize_positions = true});
}

void choose_trainable(Learner& learner, const Options& options, const ModelConfig& config) {
  LockOptions lock = options.lock;
  if (options.visual_stage) lock.text = true;
  lock_towers(learner.model, config, lock);
  if (options.visual_stage) {  // neither the projection nor the temperature takes part
    for (const char* name : {"visual.proj", "logit_scale", "logit_bias"}) {
      for (NamedParameter& entry : learner.model.entries()) {
        if (entry.name != name) continue;
        entry.tensor.set_requires_grad(false);
        entry.trainable = false;
      }
    }
  }
  if (options.lora_rank > 0)
    add_lora(learner.model, options.lora_rank, options.lora_alpha, options.seed + 4);
}

void add_heads(Learner& learner, const Options& options, const ModelConfig& config,
               int64_t max_label) {
  if (options.concept_table > 0) {
    if (max_label < 0)
      throw Error(
          fmt::format("--concept-table: no sample has a label in '{}'; labels are counted "
                      "at the start, which needs --cache-decoded, a CSV file or a folder",
                      options.captions.label_key));
    ConceptTable::add_tensors(learner.auxiliary, max_label + 1, config.embed_dim, options.seed + 1);
  }
  if (options.hog_distill > 0)
    HogHead::add_tensors(learner.auxiliary, pooled_width(config), kHogLength, options.seed + 2);
  if (options.views > 0)
    ProjectionHead::add_tensors(learner.auxiliary, pooled_width(config), options.seed + 3);
}

at::ScalarType arithmetic(const Options& options, const at::Device& device, RunLog& log) {
  if (options.precision == "fp32") return at::kFloat;
  if (options.precision == "amp" && device.is_cuda()) return at::kHalf;
  if (has_fast_bf16(device)) {
    if (options.precision == "amp") log.line("--precision amp: processors compute bf16, not f16");
    return at::kBFloat16;
  }
  log.line("this processor has no bf16 instructions: training in fp32");
  return at::kFloat;
}

const char* name_of(at::ScalarType type) {
  return type == at::kFloat ? "fp32" : type == at::kHalf ? "f16 autocast" : "bf16 autocast";
}

}  // namespace

std::unique_ptr<Learner> make_learner(const Options& options, const ModelSource& source,
                                      const at::Device& device, int64_t max_label,
                                      Communicator& processes, RunLog& log) {
  const ModelConfig& config = source.config;
  check_arg(options.patch_dropout == 0 || !config.vision.is_resnet,
            "--force-patch-dropout: a ResNet has no patches");
  auto learner = std::make_unique<Learner>();
  set_weights(*learner, options, source);
  choose_trainable(*learner, options, config);
  add_heads(*learner, options, config, max_label);
  learner->model.to(device);
  learner->auxiliary.to(device);
  if (!options.distill_model.empty())
    learner->teacher = std::make_unique<Teacher>(load_teacher(options, device));
  const std::vector<TensorStore*> stores = {&learner->model, &learner->auxiliary};
  OptimizerOptions optimizer = options.optimizer;
  if (options.image_layer_decay != 1 || options.text_layer_decay != 1)
    optimizer.lr_factor = [&](const std::string& name) {
      return layer_decay_factor(config, name, options.image_layer_decay, options.text_layer_decay);
    };
  learner->optimizer = std::make_unique<Optimizer>(stores, optimizer, processes);
  learner->reducer = std::make_unique<GradientReducer>(stores, processes);
  if (options.ema > 0) learner->ema = std::make_unique<Ema>(learner->model, options.ema);
  const at::ScalarType type = arithmetic(options, device, log);
  learner->scales_loss = type == at::kHalf;
  learner->objective = std::make_unique<Objective>(
      config, learner->model, learner->auxiliary,
      ObjectiveOptions{.contrast = !options.visual_stage,
                       .sigmoid = options.siglip,
                       .label_positives = options.label_positives,
                       .views = options.views,
                       .views_temperature = options.views_temperature,
                       .teacher = learner->teacher.get(),
                       .contrastive_weight = options.coca_contrastive_loss_weight,
                       .caption_weight = options.coca_caption_loss_weight,
                       .concept_table = options.concept_table,
                       .concept_align = options.concept_align,
                       .hog_distill = options.hog_distill,
                       .arithmetic = type,
                       .image_locked = options.lock.image &&
                                       options.lock.image_unlocked_groups == 0 &&
                                       options.lora_rank == 0,
                       .freeze_batch_norm = options.lock_image_freeze_bn_stats,
                       .patch_dropout = options.patch_dropout,
                       .checkpointing = options.grad_checkpointing,
                       .seed = options.seed},
      processes);
  log.line(fmt::format("{}: {:.2f} million trainable weights, {} threads, {}", config.name,
                       static_cast<double>(learner->model.trainable_count()) * 1e-6,
                       at::get_num_threads(), name_of(type)));
  return learner;
}

}  // namespace openclip::train
