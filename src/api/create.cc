// create_model_and_transforms and get_tokenizer: from names to handles. Rank 6.
#include <algorithm>
#include <array>

#include "api/impl.h"
#include "api/translate.h"
#include "base/error.h"
#include "io/hub_cache.h"
#include "models/registry.h"
#include "openclip/error.h"
#include "openclip/version.h"

namespace openclip::v0 {
namespace {

// open_clip's words for what is computed in bfloat16 and int8; nullopt: the model's own precision.
std::optional<Precision> engine_precision(const std::string& precision) {
  constexpr std::array kFloat = {"fp32", "f32", "float32", "auto"};
  constexpr std::array kBf16 = {"bf16", "pure_bf16", "amp_bf16", "bfloat16", "amp_bfloat16"};
  constexpr std::array kOthers = {"fp16", "pure_fp16", "amp", "float16"};
  const auto is_one_of = [&](const auto& names) {
    return std::find(names.begin(), names.end(), precision) != names.end();
  };
  if (is_one_of(kFloat)) return std::nullopt;
  if (is_one_of(kBf16)) return Precision::bf16;
  if (precision == "int8") return Precision::int8;
  if (is_one_of(kOthers))
    throw Unsupported(
        fmt::format("precision '{}' is not in this version; use fp32 or bf16", precision));
  throw InvalidArgument(fmt::format("precision must be fp32, bf16 or int8, got '{}'", precision));
}

openclip::Towers engine_towers(Towers towers) {
  switch (towers) {
    case Towers::both:
      return openclip::Towers::both;
    case Towers::image:
      return openclip::Towers::image_only;
    case Towers::text:
      return openclip::Towers::text_only;
  }
  throw InvalidArgument(
      fmt::format("towers must be both, image or text, got {}", static_cast<int>(towers)));
}

void apply_options(ModelConfig& config, const ModelOptions& options) {
  if (options.force_quick_gelu) force_quick_gelu(config);
  PreprocessSettings& preprocess = config.preprocess;
  if (options.image_mean) preprocess.mean = *options.image_mean;
  if (options.image_std) preprocess.std = *options.image_std;
  if (!options.image_interpolation.empty()) preprocess.interpolation = options.image_interpolation;
  if (!options.image_resize_mode.empty()) preprocess.resize_mode = options.image_resize_mode;
}

// The words are checked where a Preprocess is made of them.
Preprocess make_preprocess(const ModelConfig& config) {
  const PreprocessSettings& settings = config.preprocess;
  return Preprocess({.height = config.vision.image_size,
                     .width = config.vision.image_size,
                     .mean = settings.mean,
                     .std = settings.std,
                     .interpolation = settings.interpolation,
                     .resize_mode = settings.resize_mode,
                     .fill_color = settings.fill_color});
}

ModelAndTransforms create(const std::string& name, const ModelOptions& options) {
  const std::optional<Precision> precision = engine_precision(options.precision);
  check_arg(options.threads >= 0, "threads must not be negative, got {}", options.threads);
  const openclip::Towers towers = engine_towers(options.towers);
  const HubCacheDirScope cache_dir(options.cache_dir);
  ModelSource source = find_model({name, options.pretrained, {.allowed = true}});
  apply_options(source.config, options);
  Preprocess preprocess = make_preprocess(source.config);
  const Context context(options.threads);
  // A CoCa with both towers can write captions, as in open_clip; those of transformers cannot.
  const bool captions =
      source.config.decoder && !source.config.text.hf && options.towers == Towers::both;
  auto model =
      load_model(context, source, {.towers = towers, .captions = captions, .precision = precision});
  auto impl = std::make_shared<const Model::Impl>(
      Model::Impl{std::move(source), context, options.towers, std::move(model)});
  return {Model(std::move(impl)), std::move(preprocess)};
}

}  // namespace

ModelAndTransforms create_model_and_transforms(const std::string& name,
                                               const ModelOptions& options) {
  return translated([&] { return create(name, options); });
}

ModelAndTransforms create_model_from_pretrained(const std::string& name,
                                                const ModelOptions& options) {
  return create_model_and_transforms(name, options);
}

Tokenizer get_tokenizer(const std::string& model_name, const TokenizerOptions& options) {
  return translated([&] {
    check_arg(options.context_length == 0 || options.context_length >= 2,
              "context_length must be at least 2, got {}", options.context_length);
    const HubCacheDirScope cache_dir(options.cache_dir);
    ModelSource source = find_model({model_name, "", {.allowed = true, .weights = false}});
    if (options.context_length > 0) source.config.text.context_length = options.context_length;
    return Tokenizer(std::make_shared<const Tokenizer::Impl>(
        Tokenizer::Impl{load_tokenizer(source, {.allowed = true})}));
  });
}

std::vector<std::string> list_models() { return registry_names(); }

std::vector<std::pair<std::string, std::string>> list_pretrained() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& name : registry_names())
    for (const PretrainedTag& tag : registry_tags(name)) all.emplace_back(name, tag.tag);
  return all;
}

const char* version() { return OPENCLIP_VERSION; }

}  // namespace openclip::v0
