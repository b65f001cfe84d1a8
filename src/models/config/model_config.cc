#include "models/config/model_config.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/config/coca.h"
#include "models/config/config_reader.h"
#include "models/config/convnext.h"
#include "models/config/vit_trunks.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

using Reader = ConfigReader;

Activation read_activation(Reader& reader, bool quick_gelu) {
  Activation activation = quick_gelu ? Activation::quick_gelu : Activation::gelu;
  if (reader.has("act_kwargs")) {
    const Json& kwargs = reader.get("act_kwargs");
    if (kwargs.is_object() && kwargs.value("approximate", "none") == "tanh" && !quick_gelu)
      activation = Activation::gelu_tanh;
    else if (!kwargs.is_object() || !kwargs.empty())
      reader.fail("act_kwargs", "may only be {\"approximate\": \"tanh\"}");
  }
  return activation;
}

float read_norm_eps(Reader& reader) {
  if (!reader.has("norm_kwargs")) return 1e-5f;
  const Json& kwargs = reader.get("norm_kwargs");
  if (!kwargs.is_object() || !kwargs.contains("eps") || !kwargs.at("eps").is_number())
    reader.fail("norm_kwargs", "may only be {\"eps\": number}");
  return kwargs.at("eps").get<float>();
}

std::optional<float> read_layer_scale(Reader& reader) {
  if (!reader.has("ls_init_value")) return std::nullopt;
  return static_cast<float>(reader.number("ls_init_value", 0));
}

void read_layers(Reader& reader, VisionConfig& vision) {
  if (!reader.has("layers") || reader.get("layers").is_number()) {
    vision.layers = reader.integer("layers", 12);
    return;
  }
  const Json& stages = reader.get("layers");
  if (!stages.is_array() || stages.size() != 4) reader.fail("layers", "must be a number or four");
  vision.is_resnet = true;
  for (size_t i = 0; i < 4; ++i) {
    if (!stages[i].is_number_integer() || stages[i] < 1 || stages[i] > 1000)
      reader.fail("layers", "must hold block counts from 1 to 1000");
    vision.stages[i] = stages[i].get<int>();
  }
}

int read_image_size(Reader& reader, int fallback) {
  if (reader.has("image_size") && reader.get("image_size").is_array()) {
    const Json& size = reader.get("image_size");
    if (size.size() != 2 || size[0] != size[1] || !size[0].is_number_integer())
      reader.fail("image_size", "must be square");
    return size[0].get<int>();
  }
  return reader.integer("image_size", fallback);
}

VisionConfig checked_grid(const Reader& reader, VisionConfig vision) {
  if (vision.grid() < 1) reader.fail("image_size", "is smaller than one patch");
  return vision;
}

// timm_model_kwargs: sizes that replace those of the trunk's name, as timm.create_model takes them.
void read_trunk_kwargs(Reader& vision_cfg, const std::string& source, VisionConfig& vision) {
  if (!vision_cfg.has("timm_model_kwargs")) return;
  Reader reader(vision_cfg.get("timm_model_kwargs"), source + ": timm_model_kwargs");
  const double ratio = double(vision.mlp_width) / vision.width;
  const double pool_ratio = double(vision.pool_mlp_width) / vision.width;
  vision.width = reader.integer("embed_dim", vision.width);
  vision.layers = reader.integer("depth", vision.layers);
  vision.heads = reader.integer("num_heads", vision.heads);
  vision.patch_size = reader.integer("patch_size", vision.patch_size);
  vision.image_size = reader.integer("img_size", vision.image_size);
  vision.mlp_width = static_cast<int>(vision.width * reader.number("mlp_ratio", ratio));
  if (vision.eva)  // whose pooling has a ratio of its own
    vision.pool_mlp_width = static_cast<int>(vision.width * pool_ratio);
  else if (vision.pool_mlp_width > 0)
    vision.pool_mlp_width = static_cast<int>(vision.width * reader.number("mlp_ratio", pool_ratio));
  reader.refuse_unknown();
  if (vision.width % vision.heads != 0) reader.fail("num_heads", "does not divide the width");
  if (vision.conv_stem && (vision.patch_size != 16 || vision.width % 4 != 0))
    reader.fail("embed_dim", "must be a multiple of 4, and the patches 16, for a ConvStem");
  if (!vision.eva) return;
  if (vision.eva->rope && vision.width / vision.heads % 4 != 0)
    reader.fail("num_heads", "must leave heads a multiple of 4 wide");
  if (vision.eva->pool_heads > 0 && vision.width % vision.eva->pool_heads != 0)
    reader.fail("embed_dim", "is no multiple of the heads of the pooling");
}

// A tower of timm: its name says what it is, vision_cfg how its tokens become the feature.
VisionConfig read_timm_vision(Reader& reader, const std::string& source, int embed_dim) {
  VisionConfig vision;
  const std::string name = reader.text("timm_model_name", "");
  if (is_convnext_trunk(name)) {
    vision.image_size = read_image_size(reader, 224);
    read_convnext(reader, embed_dim, vision);
    reader.skip({"timm_model_pretrained", "timm_drop", "timm_drop_path"});
    reader.refuse_unknown();
    return vision;
  }
  if (is_fastvit_trunk(name)) {
    vision.image_size = read_image_size(reader, 256);
    read_fastvit(reader, vision);
    reader.skip({"timm_model_pretrained", "timm_drop", "timm_drop_path"});
    reader.refuse_unknown();
    return vision;
  }
  if (!apply_vit_trunk(name, vision))
    reader.unsupported(fmt::format("timm tower '{}' is not supported by this engine", name));
  read_trunk_kwargs(reader, source, vision);
  vision.image_size = read_image_size(reader, vision.image_size);
  const std::string pool = reader.text("timm_pool", "avg");
  if (pool != (vision.pool_mlp_width > 0 ? "map" : "token"))
    reader.fail("timm_pool", fmt::format("must be '{}' for '{}'",
                                         vision.pool_mlp_width > 0 ? "map" : "token", name));
  vision.pool = pool == "map" ? VisionPool::map : VisionPool::tok;
  const std::string projection = reader.text("timm_proj", "");
  if (projection != "" && projection != "none")
    reader.fail("timm_proj", "may only be 'none' or absent");
  vision.projection = projection == "none" ? VisionProjection::none : VisionProjection::linear;
  if (projection == "none" && vision.width != embed_dim)
    reader.fail("timm_proj",
                fmt::format("'none' needs embed_dim {}, the tower's width", vision.width));
  reader.skip({"timm_model_pretrained", "timm_drop", "timm_drop_path", "patch_dropout"});
  reader.refuse_unknown();
  return vision;
}

VisionConfig read_vision(const Json& json, const std::string& source, bool quick_gelu,
                         int embed_dim) {
  Reader reader(json, source + ": vision_cfg");
  if (reader.has("timm_model_name"))
    return checked_grid(reader, read_timm_vision(reader, source, embed_dim));
  VisionConfig vision;
  read_layers(reader, vision);
  vision.image_size = read_image_size(reader, 224);
  vision.width = reader.integer("width", vision.is_resnet ? 64 : 768);
  const int head_width = reader.integer("head_width", 64);
  const int64_t attention_width = int64_t{vision.width} * (vision.is_resnet ? 32 : 1);
  vision.heads = static_cast<int>(attention_width / head_width);
  if (vision.heads < 1 || attention_width % vision.heads != 0)
    reader.fail("head_width",
                fmt::format("{} does not fit a width of {}", head_width, attention_width));
  vision.mlp_width = static_cast<int>(vision.width * reader.number("mlp_ratio", 4.0));
  vision.patch_size = reader.integer("patch_size", 16);
  vision.ls_init_value = read_layer_scale(reader);
  vision.no_ln_pre = reader.boolean("no_ln_pre", false);
  vision.final_ln_after_pool = reader.boolean("final_ln_after_pool", false);
  const std::string pool = reader.text("pool_type", "tok");
  if (pool != "tok" && pool != "avg") reader.fail("pool_type", "must be tok or avg");
  vision.pool = pool == "tok" ? VisionPool::tok : VisionPool::avg;
  vision.activation = read_activation(reader, quick_gelu);
  vision.norm_eps = read_norm_eps(reader);
  const std::string positions = reader.text("pos_embed_type", "learnable");
  if (positions != "learnable" && positions != "sin_cos_2d")
    reader.fail("pos_embed_type", "must be learnable or sin_cos_2d");
  vision.fixed_positions = positions == "sin_cos_2d";
  if (vision.fixed_positions && (vision.is_resnet || vision.width % 4 != 0))
    reader.fail("pos_embed_type", "sin_cos_2d needs a transformer whose width is a multiple of 4");
  read_attentional_pool(reader, embed_dim, vision);
  reader.skip(
      {"patch_dropout", "output_tokens", "timm_pool", "timm_proj", "timm_drop", "timm_drop_path"});
  reader.refuse_unknown();
  return checked_grid(reader, vision);
}

TextPool read_text_pool(Reader& reader) {
  const std::string pool = reader.text("pool_type", "argmax");
  if (pool == "argmax") return TextPool::argmax;
  if (pool == "first") return TextPool::first;
  if (pool == "last") return TextPool::last;
  if (pool == "eos") return TextPool::eos;
  reader.fail("pool_type", "must be argmax, first, last or eos");
}

TextConfig read_text(const Json& json, const std::string& source, bool quick_gelu, int embed_dim) {
  Reader reader(json, source + ": text_cfg");
  TextConfig text;
  if (reader.has("hf_model_name")) {
    read_hf_text(reader, embed_dim, text);
    reader.refuse_unknown();
    return text;
  }
  text.context_length = reader.integer("context_length", 77);
  text.vocab_size = reader.integer("vocab_size", 49408);
  text.width = reader.integer("width", 512);
  text.heads = reader.integer("heads", 8);
  text.layers = reader.integer("layers", 12);
  if (text.width % text.heads != 0)
    reader.fail("heads", fmt::format("{} does not divide the width {}", text.heads, text.width));
  text.mlp_width = static_cast<int>(text.width * reader.number("mlp_ratio", 4.0));
  text.ls_init_value = read_layer_scale(reader);
  text.causal = !reader.boolean("no_causal_mask", false);
  text.pool = read_text_pool(reader);
  text.embed_cls = reader.boolean("embed_cls", false);
  if (text.embed_cls && !text.causal) reader.fail("embed_cls", "needs a causal mask");
  text.pad_id = reader.integer("pad_id", 0, 0);
  if (reader.has("eos_id")) text.eos_id = reader.integer("eos_id", 0, 0);
  if (text.pool == TextPool::eos && !text.eos_id) reader.fail("eos_id", "is needed by pool eos");
  const std::string projection = reader.text("proj_type", "linear");
  if (projection != "linear" && projection != "none") reader.fail("proj_type", "is unknown");
  text.has_projection = projection == "linear";
  text.projection_bias = reader.boolean("proj_bias", false);
  text.activation = read_activation(reader, quick_gelu);
  text.norm_eps = read_norm_eps(reader);
  text.hf_tokenizer_name = reader.text("hf_tokenizer_name", "");
  reader.skip({"output_tokens", "final_ln_after_pool", "tokenizer_kwargs", "bos_id",
               "tokenizer_mode", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type"});
  reader.refuse_unknown();
  return text;
}

std::array<float, 3> read_channels(Reader& reader, const char* key, std::array<float, 3> fallback) {
  if (!reader.has(key)) return fallback;
  const Json& value = reader.get(key);
  if (value.is_number()) return {value, value, value};
  if (!value.is_array() || value.size() != 3) reader.fail(key, "must be three numbers");
  std::array<float, 3> channels{};
  for (size_t i = 0; i < 3; ++i) {
    if (!value[i].is_number()) reader.fail(key, "must be three numbers");
    channels[i] = value[i].get<float>();
  }
  return channels;
}

PreprocessSettings read_preprocess(const Json& json, const std::string& source) {
  Reader reader(json, source + ": preprocess_cfg");
  PreprocessSettings settings;
  settings.mean = read_channels(reader, "mean", settings.mean);
  settings.std = read_channels(reader, "std", settings.std);
  for (const float deviation : settings.std)
    if (!(deviation > 0)) reader.fail("std", "must be above zero");
  settings.interpolation = reader.text("interpolation", "bicubic");
  if (settings.interpolation == "random") settings.interpolation = "bicubic";
  if (settings.interpolation != "bicubic" && settings.interpolation != "bilinear")
    reader.fail("interpolation", "must be bicubic or bilinear");
  settings.resize_mode = reader.text("resize_mode", "shortest");
  if (settings.resize_mode != "shortest" && settings.resize_mode != "longest" &&
      settings.resize_mode != "squash")
    reader.fail("resize_mode", "must be shortest, longest or squash");
  settings.fill_color = reader.integer("fill_color", 0, 0);
  return settings;
}

Precision read_quantization(const Json& json, const std::string& source) {
  Reader reader(json, source);
  const std::string method = reader.text("method", "");
  reader.refuse_unknown();
  if (method != "int8")
    throw Unsupported(
        fmt::format("{}: quantization_cfg: method must be int8, got '{}'", source, method));
  return Precision::int8;
}

}  // namespace

ModelConfig parse_model_config(const std::string& json_text, const std::string& source,
                               const std::string& name) {
  const Json json = parse_config(json_text, source);
  const Json& model = json.contains("model_cfg") ? json.at("model_cfg") : json;
  Reader reader(model, source);
  ModelConfig config;
  config.name = name;
  config.embed_dim = reader.integer("embed_dim", 512);
  const bool quick_gelu = reader.boolean("quick_gelu", false);
  for (const char* key : {"vision_cfg", "text_cfg"})
    if (!reader.has(key)) throw ParseError(source, fmt::format("lacks '{}'", key));
  config.vision = read_vision(reader.get("vision_cfg"), source, quick_gelu, config.embed_dim);
  config.text = read_text(reader.get("text_cfg"), source, quick_gelu, config.embed_dim);
  config.custom_text = reader.boolean("custom_text", false) || config.text.hf;
  config.has_logit_bias = reader.has("init_logit_bias");
  if (reader.has("multimodal_cfg")) {
    config.custom_text = true;
    config.decoder = read_decoder(reader.get("multimodal_cfg"), source, quick_gelu, config);
  }
  reader.skip({"init_logit_scale", "init_logit_bias", "nonscalar_logit_scale"});
  reader.refuse_unknown();
  if (!config.text.has_projection && config.text.width != config.embed_dim)
    throw ParseError(source, "text_cfg: no projection needs width equal to embed_dim");
  if (json.contains("preprocess_cfg"))
    config.preprocess = read_preprocess(json.at("preprocess_cfg"), source);
  if (json.contains("quantization_cfg"))
    config.precision = read_quantization(json.at("quantization_cfg"), source);
  config.model_cfg_json = model.dump();
  return config;
}

bool uses_quick_gelu(const ModelConfig& config) {
  return config.vision.activation == Activation::quick_gelu ||
         config.text.activation == Activation::quick_gelu;
}

void force_quick_gelu(ModelConfig& config) {
  if (config.vision.timm_trunk.empty() && !config.vision.convnext && !config.vision.fastvit)
    config.vision.activation = Activation::quick_gelu;
  if (!config.text.hf) config.text.activation = Activation::quick_gelu;
  if (config.decoder) config.decoder->activation = Activation::quick_gelu;
  Json model = Json::parse(config.model_cfg_json);
  model["quick_gelu"] = true;
  config.model_cfg_json = model.dump();
}

void set_image_size(ModelConfig& config, int pixels) {
  VisionConfig& vision = config.vision;
  if (pixels == vision.image_size) return;
  check_arg(
      !vision.is_resnet,
      "the image size of {} cannot be changed: open_clip does not resize a ResNet's positions",
      config.name);
  check_arg(pixels >= vision.patch_size && pixels <= 4096,
            "the image size must be from one patch, {}, to 4096 pixels, got {}", vision.patch_size,
            pixels);
  vision.image_size = pixels;
  Json model = Json::parse(config.model_cfg_json);
  model["vision_cfg"]["image_size"] = pixels;
  config.model_cfg_json = model.dump();
}

void set_context_length(ModelConfig& config, int tokens) {
  if (tokens == config.text.context_length) return;
  check_arg(tokens >= 1 && tokens <= 8192, "the context length must be from 1 to 8192, got {}",
            tokens);
  check_arg(
      !config.text.hf || tokens < config.text.context_length,
      "the context length of {} cannot grow: its text tower is transformers', whose positions "
      "are not resized",
      config.name);
  config.text.context_length = tokens;
  Json model = Json::parse(config.model_cfg_json);
  model["text_cfg"]["context_length"] = tokens;
  config.model_cfg_json = model.dump();
}

std::string open_clip_config_json(const ModelConfig& config) {
  const PreprocessSettings& p = config.preprocess;
  nlohmann::ordered_json out;
  out["model_cfg"] = nlohmann::ordered_json::parse(config.model_cfg_json);
  out["preprocess_cfg"] = {{"size", config.vision.image_size},
                           {"mode", "RGB"},
                           {"mean", p.mean},
                           {"std", p.std},
                           {"interpolation", p.interpolation},
                           {"resize_mode", p.resize_mode},
                           {"fill_color", p.fill_color}};
  if (config.precision == Precision::int8) out["quantization_cfg"] = {{"method", "int8"}};
  return out.dump(2) + "\n";
}

}  // namespace openclip
