#include "base/error.h"
#include "trainer/options.h"

namespace openclip::train {

std::string describe(const Options& o) {
  std::string text;
  const auto line = [&](const char* key, const auto& value) {
    text += fmt::format("{}: {}\n", key, value);
  };
  line("accum_freq", o.accum_freq);
  line("batch_size", o.batch_size);
  line("beta1", o.optimizer.beta1);
  line("beta2", o.optimizer.beta2);
  line("extra_texts", o.extra_texts);
  line("first_caption_prob", o.captions.first_probability);
  line("concept_table", o.concept_table);
  line("concept_align", o.concept_align);
  line("device", o.device);
  line("ema", o.ema);
  line("epochs", o.epochs);
  line("eps", o.optimizer.eps);
  line("grad_clip_norm", o.grad_clip_norm);
  line("hog_distill", o.hog_distill);
  line("json_text_key", fmt::format("{}", fmt::join(o.captions.keys, ",")));
  line("label_key", o.captions.label_key);
  line("logs", o.logs);
  line("lr", o.optimizer.lr);
  line("model", o.model);
  line("name", o.name);
  line("precision", o.precision);
  line("pretrained", o.pretrained);
  line("resume", o.resume);
  line("seed", o.seed);
  line("style_probability", o.augment.style.enabled ? o.augment.style.probability : 0);
  line("siglip", o.siglip);
  line("coca_contrastive_loss_weight", o.coca_contrastive_loss_weight);
  line("coca_caption_loss_weight", o.coca_caption_loss_weight);
  line("stage", o.visual_stage ? "visual" : "pairs");
  line("ssl_weight", o.views);
  line("lock_image", o.lock.image);
  line("lock_text", o.lock.text);
  line("lora_rank", o.lora_rank);
  line("image_layer_decay", o.image_layer_decay);
  line("text_layer_decay", o.text_layer_decay);
  line("patch_dropout", o.patch_dropout);
  line("grad_checkpointing", o.grad_checkpointing);
  line("distill_model", o.distill_model);
  line("pretrained_image", o.pretrained_image);
  line("shard_optimizer", o.optimizer.sharded);
  line("train_data", o.train_data);
  line("train_num_samples", o.train_num_samples);
  line("warmup", o.warmup);
  line("wd", o.optimizer.weight_decay);
  line("workers", o.workers);
  return text;
}

}  // namespace openclip::train
