#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "models/registry.h"
#include "trainer/setup.h"

namespace openclip::train {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxConfigBytes = 1 << 20;

void override_preprocess(PreprocessSettings& settings, const Options& options) {
  for (size_t c = 0; c < options.image_mean.size(); ++c) settings.mean[c] = options.image_mean[c];
  for (size_t c = 0; c < options.image_std.size(); ++c) settings.std[c] = options.image_std[c];
  if (!options.image_interpolation.empty()) settings.interpolation = options.image_interpolation;
  if (!options.image_resize_mode.empty()) settings.resize_mode = options.image_resize_mode;
  if (options.image_fill) settings.fill_color = *options.image_fill;
}

// Parsed anew, so that everything follows from the JSON that checkpoints hold.
template <class Change>
void change_config(ModelConfig& config, const char* flag, const Change& change) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(config.model_cfg_json);
  change(json);
  const PreprocessSettings preprocess = config.preprocess;
  config = parse_model_config(json.dump(), flag, config.name);
  config.preprocess = preprocess;
}

void force_image_size(ModelConfig& config, int size) {
  change_config(config, "--force-image-size",
                [&](auto& json) { json["vision_cfg"]["image_size"] = size; });
}

// As open_clip_train/main.py.
void use_sigmoid_start(ModelConfig& config) {
  change_config(config, "--siglip", [](auto& json) {
    json["init_logit_scale"] = std::log(10.0);
    json["init_logit_bias"] = -10;
  });
}

// A config .json, or a folder with open_clip_config.json, weights and tokenizer.
void read_files(const std::string& model, ModelSource& source) {
  fs::path config_file = model;
  if (fs::is_directory(config_file)) {
    const fs::path weights = config_file / "open_clip_model.safetensors";
    if (fs::exists(weights)) source.weights = weights;
    if (fs::exists(config_file / "tokenizer.json")) source.tokenizer_folder = config_file;
    config_file /= "open_clip_config.json";
  }
  if (!fs::exists(config_file)) throw NotFound("--model: " + unknown_model_text(model));
  source.config = parse_model_config(read_text_file(config_file, kMaxConfigBytes), config_file,
                                     fs::path(model).stem());
}

// The registry also lists models that only the engine has.
void check_trainable(const ModelConfig& config) {
  if (config.vision.convnext || config.vision.fastvit || config.vision.is_timm() || config.text.hf)
    throw Unsupported(
        fmt::format("--model {}: openclip-train has no {}; it trains open_clip's own "
                    "ViT, ModifiedResNet, text transformer and CoCa",
                    config.name,
                    config.vision.convnext    ? "ConvNeXt"
                    : config.vision.fastvit   ? "FastViT"
                    : config.vision.is_timm() ? "ViT of timm"
                                              : "tower of transformers"));
}

}  // namespace

ModelSource find_model(const Options& options) {
  constexpr std::string_view kLocal = "local-dir:";
  const std::string model =
      options.model.starts_with(kLocal) ? options.model.substr(kLocal.size()) : options.model;
  ModelSource source;
  if (registry_has(model) && !fs::exists(model))
    source.config = registry_config(model);
  else
    read_files(model, source);
  check_trainable(source.config);
  if (options.force_image_size) force_image_size(source.config, *options.force_image_size);
  if (options.siglip && !source.config.has_logit_bias) use_sigmoid_start(source.config);
  if (options.force_quick_gelu) force_quick_gelu(source.config);
  override_preprocess(source.config.preprocess, options);
  if (!options.pretrained.empty()) source.weights = options.pretrained;
  if (!options.tokenizer.empty()) source.tokenizer_folder = options.tokenizer;
  if (!source.tokenizer_folder.empty() &&
      !fs::exists(fs::path(source.tokenizer_folder) / "tokenizer.json"))
    throw NotFound(fmt::format("--tokenizer {}: holds no tokenizer.json", source.tokenizer_folder));
  return source;
}

Teacher load_teacher(const Options& options, const at::Device& device) {
  Options of_teacher;
  of_teacher.model = options.distill_model;
  of_teacher.pretrained = options.distill_pretrained;
  const ModelSource source = find_model(of_teacher);
  Teacher teacher{source.config, TensorStore::create(model_tensors(source.config), 0)};
  load_weights(teacher.model, source.weights);
  for (NamedParameter& entry : teacher.model.entries()) {
    entry.tensor.set_requires_grad(false);
    entry.trainable = false;
  }
  teacher.model.to(device);
  return teacher;
}

}  // namespace openclip::train
