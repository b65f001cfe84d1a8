// openclip models list | info: what is known by name or is on this machine, and what a model is.
#include <algorithm>
#include <array>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "models/cached.h"
#include "models/config/flops.h"
#include "models/registry.h"

namespace openclip {
namespace {

struct ModelsOptions {
  std::string name;
  bool cached = false;
  bool json = false;
};

std::string millions(const ModelConfig& config) {
  return fmt::format("{:.1f} M", static_cast<double>(parameter_count(config)) / 1e6);
}

int list_cached(const ModelsOptions& options) {
  OrderedJson all = OrderedJson::array();
  for (const CachedModel& model : cached_models()) {
    if (options.json)
      all.push_back({{"name", model.name}, {"weights", model.weights}, {"bytes", model.bytes}});
    else
      print(fmt::format("{:<44}{:>9}  {}\n", model.name, human_bytes(model.bytes), model.weights));
  }
  if (options.json) print(all.dump(1) + "\n");
  return 0;
}

int list_models(const ModelsOptions& options) {
  if (options.cached) return list_cached(options);
  OrderedJson all = OrderedJson::array();
  if (!options.json)
    print(fmt::format("{:<26}{:>12}{:>8}{:>6}  {}\n", "model", "parameters", "pixels", "dim",
                      "pretrained tags"));
  for (const std::string& name : registry_names()) {
    const ModelConfig config = registry_config(name);
    std::vector<std::string> tags;
    for (const PretrainedTag& tag : registry_tags(name)) tags.push_back(tag.tag);
    if (options.json)
      all.push_back({{"name", name},
                     {"parameters", parameter_count(config)},
                     {"image_size", config.vision.image_size},
                     {"embed_dim", config.embed_dim},
                     {"tags", tags}});
    else
      print(fmt::format("{:<26}{:>12}{:>8}{:>6}  {}\n", name, millions(config),
                        config.vision.image_size, config.embed_dim, fmt::join(tags, " ")));
  }
  if (options.json) print(all.dump(1) + "\n");
  return 0;
}

const char* activation_name(Activation activation) {
  if (activation == Activation::quick_gelu) return "quick_gelu";
  return activation == Activation::gelu ? "gelu" : "gelu_tanh";
}

// The decimal that the float stands for, not the double it converts to: 0.48145466.
std::vector<double> decimals(const std::array<float, 3>& values) {
  std::vector<double> out;
  for (const float value : values) out.push_back(std::stod(fmt::format("{}", value)));
  return out;
}

OrderedJson preprocess_json(const PreprocessSettings& settings) {
  return {{"mean", decimals(settings.mean)},
          {"std", decimals(settings.std)},
          {"interpolation", settings.interpolation},
          {"resize_mode", settings.resize_mode}};
}

OrderedJson vision_json(const VisionConfig& vision) {
  if (vision.convnext)
    return {{"kind", "ConvNeXt"},
            {"trunk", vision.convnext->trunk},
            {"image_size", vision.image_size},
            {"width", vision.width},
            {"layers", vision.convnext->depths},
            {"widths", vision.convnext->dims},
            {"head", vision.convnext->head_hidden > 0 ? "mlp" : "linear"},
            {"activation", activation_name(vision.activation)}};
  if (vision.fastvit) {
    OrderedJson depths = OrderedJson::array(), widths = OrderedJson::array();
    for (const FastVitConfig::Stage& stage : vision.fastvit->stages) {
      depths.push_back(stage.depth);
      widths.push_back(stage.width);
    }
    return {{"kind", "FastViT"},
            {"trunk", vision.fastvit->trunk},
            {"image_size", vision.image_size},
            {"width", vision.width},
            {"layers", depths},
            {"widths", widths},
            {"activation", activation_name(vision.activation)}};
  }
  OrderedJson json = {{"kind", vision.is_resnet ? "ModifiedResNet" : "ViT"},
                      {"image_size", vision.image_size},
                      {"width", vision.width},
                      {"heads", vision.heads}};
  if (vision.is_resnet) {
    json["layers"] = vision.stages;
  } else {
    json["layers"] = vision.layers;
    json["patch_size"] = vision.patch_size;
    json["mlp_width"] = vision.mlp_width;
    json["activation"] = activation_name(vision.activation);
  }
  return json;
}

OrderedJson tag_json(const PretrainedTag& tag) {
  return {{"tag", tag.tag},
          {"hub_repo", tag.hub_repo},
          {"url", tag.url},
          {"quick_gelu", tag.quick_gelu},
          {"preprocess", preprocess_json(tag.preprocess)}};
}

OrderedJson model_json(const ModelSource& source, const std::vector<PretrainedTag>& tags) {
  const ModelConfig& config = source.config;
  OrderedJson json = {
      {"name", config.name},
      {"parameters", parameter_count(config)},
      {"embed_dim", config.embed_dim},
      {"context_length", config.text.context_length},
      {"vision", vision_json(config.vision)},
      {"text",
       {{"kind", config.text.hf ? config.text.hf->name : "transformer"},
        {"width", config.text.width},
        {"heads", config.text.heads},
        {"layers", config.text.layers},
        {"mlp_width", config.text.mlp_width},
        {"vocab_size", config.text.vocab_size},
        {"activation", activation_name(config.text.activation)},
        {"tokenizer", config.text.hf_tokenizer_name.empty() ? "CLIP byte pairs"
                                                            : config.text.hf_tokenizer_name}}},
      {"preprocess", preprocess_json(config.preprocess)},
      {"weights", source.weights}};
  json["tags"] = OrderedJson::array();
  for (const PretrainedTag& tag : tags) json["tags"].push_back(tag_json(tag));
  return json;
}

std::string describe(const PreprocessSettings& p) {
  return fmt::format("{} {}, mean {:.4g} {:.4g} {:.4g}, std {:.4g} {:.4g} {:.4g}", p.interpolation,
                     p.resize_mode, p.mean[0], p.mean[1], p.mean[2], p.std[0], p.std[1], p.std[2]);
}

std::string describe(const VisionConfig& v) {
  if (v.convnext)
    return fmt::format("ConvNeXt {}, widths {}, {}x{} pixels, {}",
                       fmt::join(v.convnext->depths, "-"), fmt::join(v.convnext->dims, "-"),
                       v.image_size, v.image_size, activation_name(v.activation));
  if (v.fastvit)
    return fmt::format("FastViT {}, {} stages to a width of {}, {}x{} pixels, {}", v.fastvit->trunk,
                       v.fastvit->stages.size(), v.width, v.image_size, v.image_size,
                       activation_name(v.activation));
  if (v.is_resnet)
    return fmt::format("ModifiedResNet {}, width {}, {} heads, {}x{} pixels",
                       fmt::join(v.stages, "-"), v.width, v.heads, v.image_size, v.image_size);
  return fmt::format("ViT, {} layers, width {}, {} heads, MLP {}, patch {}, {}x{} pixels, {}",
                     v.layers, v.width, v.heads, v.mlp_width, v.patch_size, v.image_size,
                     v.image_size, activation_name(v.activation));
}

std::string describe(const TextConfig& text) {
  return fmt::format("{}{} layers, width {}, {} heads, {} tokens of {}, {}",
                     text.hf ? text.hf->name + ", " : "", text.layers, text.width, text.heads,
                     text.context_length, text.vocab_size, activation_name(text.activation));
}

std::string describe(const ModelSource& source, const std::vector<PretrainedTag>& tags) {
  const ModelConfig& config = source.config;
  std::string out = fmt::format("{}: {} parameters, features of {} numbers\n", config.name,
                                millions(config), config.embed_dim);
  out += "  image       " + describe(config.vision) + "\n";
  out += "  text        " + describe(config.text) + "\n";
  out += "  preprocess  " + describe(config.preprocess) + "\n";
  if (!source.weights.empty()) out += "  weights     " + source.weights + "\n";
  size_t widest = 0;
  for (const PretrainedTag& tag : tags) widest = std::max(widest, tag.tag.size());
  for (const PretrainedTag& tag : tags) {
    out += fmt::format("  tag         {:<{}}  {}", tag.tag, widest, tag.hub_repo);
    if (tag.quick_gelu) out += ", QuickGELU (switched on by the tag)";
    const std::string prepared = describe(tag.preprocess);
    if (prepared != describe(config.preprocess)) out += ", " + prepared;
    out += "\n";
  }
  return out;
}

int show_model(const ModelsOptions& options) {
  CommonOptions common;
  common.model.model = options.name;
  const ModelSource source = find_model(common, Need::config);
  std::vector<PretrainedTag> tags;
  if (source.folder.empty()) tags = registry_tags(source.config.name);
  print(options.json ? model_json(source, tags).dump(1) + "\n" : describe(source, tags));
  return 0;
}

}  // namespace

void add_models(Command& app, ChosenCommand& chosen) {
  Command* models = app.add_subcommand("models", "models: which are known, what one is, download");
  models->require_subcommand(1);
  const auto options = std::make_shared<ModelsOptions>();
  Command* list = models->add_subcommand("list", "names, sizes and pretrained tags");
  list->add_flag("--cached", options->cached, "only what has been downloaded, with size and path");
  list->add_flag("--json", options->json, "as JSON");
  list->callback([&chosen, options] { chosen = [options] { return list_models(*options); }; });
  Command* info = models->add_subcommand("info", "dimensions, preprocessing and tags of one");
  info->add_option("model", options->name, "as --model; without it the shipped model");
  info->add_flag("--json", options->json, "as JSON");
  info->callback([&chosen, options] { chosen = [options] { return show_model(*options); }; });
  add_models_pull(*models, chosen);
  models->footer(
      "\nExamples:\n  openclip models list\n  openclip models info ViT-B-32 --json\n"
      "  openclip models pull ViT-B-32:laion2b_s34b_b79k\n"
      "  openclip models pull hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K\n"
      "  openclip models list --cached");
}

}  // namespace openclip
