#include "models/config/transformers_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/config/config_reader.h"
#include "models/config/transformers_section.h"

namespace openclip {
namespace {

using namespace transformers_files;
using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Of CLIPTextConfig before transformers' pull request 24773; it means: pool at the largest id.
constexpr int kLegacyEos = 2;
constexpr int kClipVocabulary = 49408;      // whose last two tokens are start and end
constexpr int kBicubic = 3, kBilinear = 2;  // Pillow's Resampling
constexpr float kDefaultEps = 1e-5f;

// text_config, or what old files call text_config_dict and prefer.
Section section_of(const Json& config, const std::string& key, const std::string& source) {
  for (const std::string& name : {key + "_dict", key})
    if (config.contains(name) && config[name].is_object())
      return Section(config[name], source + ": " + name);
  return Section(Json::object(), source + ": " + key);
}

void add_common(const Section& section, Activation activation, int mlp_default,
                OrderedJson& tower) {
  const int width = tower["width"].get<int>();
  tower["mlp_ratio"] = mlp_ratio(width, section.natural("intermediate_size", mlp_default));
  if (activation == Activation::gelu_tanh) tower["act_kwargs"] = {{"approximate", "tanh"}};
  const double eps = section.number("layer_norm_eps", 1e-5);
  if (static_cast<float>(eps) != kDefaultEps) tower["norm_kwargs"] = {{"eps", eps}};
}

OrderedJson vision_cfg(const Section& section, Activation activation) {
  const int width = section.natural("hidden_size", 768);
  if (section.natural("num_channels", 3) != 3) section.fail("num_channels", "must be 3");
  const int heads = section.natural("num_attention_heads", 12);
  if (width % heads != 0) section.fail("num_attention_heads", "does not divide hidden_size");
  OrderedJson tower = {{"image_size", section.natural("image_size", 224)},
                       {"layers", section.natural("num_hidden_layers", 12)},
                       {"width", width},
                       {"head_width", width / heads},
                       {"patch_size", section.natural("patch_size", 32)}};
  add_common(section, activation, 3072, tower);
  return tower;
}

OrderedJson text_cfg(const Section& section, Activation activation, const std::string& tokenizer) {
  const int width = section.natural("hidden_size", 512);
  const int vocabulary = section.natural("vocab_size", kClipVocabulary);
  OrderedJson tower = {{"context_length", section.natural("max_position_embeddings", 77)},
                       {"vocab_size", vocabulary},
                       {"width", width},
                       {"heads", section.natural("num_attention_heads", 8)},
                       {"layers", section.natural("num_hidden_layers", 12)}};
  if (!tokenizer.empty()) tower["hf_tokenizer_name"] = tokenizer;
  add_common(section, activation, 2048, tower);
  const int eos = section.natural("eos_token_id", kClipVocabulary - 1);
  // The last id of all is the largest wherever it stands.
  if (eos != kLegacyEos && eos != vocabulary - 1) {
    tower["pool_type"] = "eos";
    tower["eos_id"] = eos;
  }
  return tower;
}

// CLIPTextModel and CLIPTextModelWithProjection, whose config is the text section by itself.
ModelConfig parse_text_model(const Json& config, const Section& text, const std::string& source,
                             const std::string& name, const std::string& tokenizer) {
  const Activation activation = activation_of(text);
  const auto architectures = config.value("architectures", Json::array());
  const bool projects = std::find(architectures.begin(), architectures.end(),
                                  "CLIPTextModelWithProjection") != architectures.end();
  OrderedJson model = {{"embed_dim", projects ? text.natural("projection_dim", 512)
                                              : text.natural("hidden_size", 512)},
                       {"quick_gelu", activation == Activation::quick_gelu},
                       {"vision_cfg", OrderedJson::object()},
                       {"text_cfg", text_cfg(text, activation, tokenizer)}};
  if (!projects) model["text_cfg"]["proj_type"] = "none";
  ModelConfig out = parse_model_config(OrderedJson({{"model_cfg", model}}).dump(), source, name);
  out.text_only = true;
  return out;
}

// {"shortest_edge": n}, {"height": n, "width": n} or n.
int edge_of(const Section& section, const char* key, int fallback, bool* is_square) {
  const Json* value = section.find(key);
  *is_square = false;
  if (value == nullptr) return fallback;
  if (!value->is_object()) return section.natural(key, fallback);
  const Section size(*value, fmt::format("'{}'", key));
  if (value->contains("shortest_edge")) return size.natural("shortest_edge", fallback);
  *is_square = true;
  const int height = size.natural("height", fallback);
  if (size.natural("width", fallback) != height) section.fail(key, "must be square");
  return height;
}

// OWL's towers are CLIP's with other default sizes.
Json with_owl_defaults(Json config, BoxHeads boxes) {
  const std::pair<const char*, Json> defaults[] = {
      {"vision_config", {{"image_size", 768}, {"patch_size", boxes == BoxHeads::owlv2 ? 16 : 32}}},
      {"text_config", {{"max_position_embeddings", 16}}}};
  for (const auto& [key, values] : defaults) {
    Json section = values;
    if (config.contains(key) && config[key].is_object()) section.update(config[key]);
    config[key] = section;
  }
  return config;
}

BoxHeads box_heads_of(const std::string& model_type) {
  return model_type == "owlvit"  ? BoxHeads::owlvit
         : model_type == "owlv2" ? BoxHeads::owlv2
                                 : BoxHeads::none;
}

OrderedJson preprocess_cfg(const Section& section, int image_size, bool crops_by_default) {
  const auto unsupported = [&](const char* key) {
    throw Unsupported(fmt::format(
        "preprocessor_config.json: '{}' does not fit a model of {} pixels", key, image_size));
  };
  if (!section.boolean("do_resize", true)) unsupported("do_resize");
  if (!section.boolean("do_rescale", true)) unsupported("do_rescale");
  const bool crops = section.boolean("do_center_crop", crops_by_default);
  bool is_square = false, ignored = false;
  if (edge_of(section, "size", image_size, &is_square) != image_size) unsupported("size");
  if (crops && edge_of(section, "crop_size", image_size, &ignored) != image_size)
    unsupported("crop_size");
  if (!crops && !is_square) unsupported("do_center_crop");
  const int resample = static_cast<int>(section.number("resample", kBicubic));
  if (resample != kBicubic && resample != kBilinear) unsupported("resample");
  OrderedJson out = {{"interpolation", resample == kBicubic ? "bicubic" : "bilinear"},
                     {"resize_mode", is_square ? "squash" : "shortest"}};
  if (!section.boolean("do_normalize", true)) {
    out["mean"] = {0, 0, 0};
    out["std"] = {1, 1, 1};
  }
  for (const auto& [from, to] : {std::pair{"image_mean", "mean"}, std::pair{"image_std", "std"}})
    if (const Json* value = section.find(from); value != nullptr && !out.contains(to))
      out[to] = *value;
  return out;
}

OrderedJson clip_model_cfg(const Section& root, const Section& vision, const Section& text,
                           const std::string& source, const std::string& tokenizer) {
  const Activation image_act = activation_of(vision), text_act = activation_of(text);
  const bool quick = image_act == Activation::quick_gelu;
  if (quick != (text_act == Activation::quick_gelu))
    throw Unsupported(source + ": only one of the two towers has hidden_act quick_gelu");
  OrderedJson model = {{"embed_dim", root.natural("projection_dim", 512)}};
  if (quick) model["quick_gelu"] = true;
  model["vision_cfg"] = vision_cfg(vision, image_act);
  model["text_cfg"] = text_cfg(text, text_act, tokenizer);
  return model;
}

// --- and back ---

void refuse(bool has, const char* option) {
  if (has)
    throw Unsupported(fmt::format("transformers' CLIPModel cannot express this model: {}", option));
}

const char* activation_name(Activation activation) {
  if (activation == Activation::quick_gelu) return "quick_gelu";
  return activation == Activation::gelu ? "gelu" : "gelu_pytorch_tanh";
}

// The decimal that the float stands for, not the double that it converts to.
double decimal(float value) { return std::stod(fmt::format("{}", value)); }

void check_expressible(const ModelConfig& config) {
  const VisionConfig& vision = config.vision;
  const TextConfig& text = config.text;
  refuse(config.text_only, "it has no image tower");
  refuse(config.decoder.has_value(), "it writes captions");
  refuse(vision.is_resnet, "its image tower is a ResNet");
  refuse(vision.convnext.has_value(), "its image tower is a ConvNeXt");
  refuse(vision.fastvit.has_value(), "its image tower is a FastViT");
  refuse(vision.is_timm(), "its image tower is one of timm");
  refuse(text.hf.has_value(), "its text tower is not CLIP's");
  refuse(vision.ls_init_value || text.ls_init_value, "it has LayerScale");
  refuse(vision.no_ln_pre, "no_ln_pre is set");
  refuse(vision.pool != VisionPool::tok, "its image tower does not pool the class token");
  refuse(!text.causal, "its text tower has no causal mask");
  refuse(text.pool != TextPool::argmax && text.pool != TextPool::eos,
         "its text tower does not pool the end token");
  refuse(!text.has_projection || text.projection_bias,
         "its text projection is no matrix without bias");
  refuse(config.has_logit_bias, "it has a logit_bias");
  refuse(config.boxes != BoxHeads::none, "it predicts boxes");
  refuse(text.pool == TextPool::eos && text.eos_id == kLegacyEos,
         "eos_id 2 means another pooling there");
}

OrderedJson tower_json(int width, int mlp_width, int layers, int heads, Activation activation,
                       float eps, int projection) {
  return {{"hidden_size", width},
          {"intermediate_size", mlp_width},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"hidden_act", activation_name(activation)},
          {"layer_norm_eps", decimal(eps)},
          {"projection_dim", projection}};
}

}  // namespace

ModelConfig parse_transformers_config(const TransformersConfig& files, const std::string& source,
                                      const std::string& name, const std::string& tokenizer) {
  const std::string config_source = source + "/config.json";
  Json config = parse_config(files.config, config_source);
  const Section root(config, config_source);
  const std::string type = root.text("model_type", "");
  if (type == "clip_text_model")
    return parse_text_model(config, root, config_source, name, tokenizer);
  const BoxHeads boxes = box_heads_of(type);
  const bool siglip = type == "siglip";
  if (type != "clip" && !siglip && boxes == BoxHeads::none)
    throw Unsupported(fmt::format(
        "{}: models of type '{}' are not supported, only 'clip', 'clip_text_model', 'siglip' "
        "(which SigLIP 2 of one resolution is too), 'owlvit' and 'owlv2'",
        config_source, type));
  if (boxes != BoxHeads::none) config = with_owl_defaults(std::move(config), boxes);
  const Section vision = section_of(config, "vision_config", config_source);
  const Section text = section_of(config, "text_config", config_source);
  const OrderedJson model = siglip ? siglip_model_cfg(vision, text, tokenizer)
                                   : clip_model_cfg(root, vision, text, config_source, tokenizer);
  OrderedJson out = {{"model_cfg", model}};
  if (siglip)
    out["preprocess_cfg"] = {
        {"mean", 0.5}, {"std", 0.5}, {"interpolation", "bicubic"}, {"resize_mode", "squash"}};
  if (boxes == BoxHeads::owlvit) out["preprocess_cfg"] = {{"resize_mode", "squash"}};
  if (!files.preprocessor.empty()) {
    const std::string preprocessor_source = source + "/preprocessor_config.json";
    Json preprocessor = parse_config(files.preprocessor, preprocessor_source);
    if (preprocessor.contains("image_processor")) preprocessor = preprocessor["image_processor"];
    // The crop of old processors is off by default in SigLIP's and OWL's, whose pictures are
    // squashed or padded.
    const OrderedJson given = preprocess_cfg(
        Section(preprocessor, preprocessor_source), model["vision_cfg"]["image_size"].get<int>(),
        /*crops_by_default=*/!siglip && boxes == BoxHeads::none);
    for (const auto& [key, value] : given.items()) out["preprocess_cfg"][key] = value;
  }
  ModelConfig parsed = parse_model_config(out.dump(), config_source, name);
  parsed.boxes = boxes;
  if (boxes == BoxHeads::owlv2) parsed.preprocess.resize_mode = "pad_blur";
  return parsed;
}

TransformersConfig transformers_config(const ModelConfig& config) {
  check_expressible(config);
  const VisionConfig& vision = config.vision;
  const TextConfig& text = config.text;
  const PreprocessSettings& prepare = config.preprocess;
  const bool is_clip = text.vocab_size == kClipVocabulary;
  OrderedJson image_json = tower_json(vision.width, vision.mlp_width, vision.layers, vision.heads,
                                      vision.activation, vision.norm_eps, config.embed_dim);
  image_json["model_type"] = "clip_vision_model";
  image_json["image_size"] = vision.image_size;
  image_json["patch_size"] = vision.patch_size;
  image_json["num_channels"] = 3;
  OrderedJson text_json = tower_json(text.width, text.mlp_width, text.layers, text.heads,
                                     text.activation, text.norm_eps, config.embed_dim);
  text_json["model_type"] = "clip_text_model";
  text_json["vocab_size"] = text.vocab_size;
  text_json["max_position_embeddings"] = text.context_length;
  // Where the end token is not known to be the last one, the largest id is asked for by the old
  // value.
  text_json["eos_token_id"] = text.pool == TextPool::eos ? *text.eos_id
                              : is_clip                  ? kClipVocabulary - 1
                                                         : kLegacyEos;
  text_json["bos_token_id"] = is_clip ? kClipVocabulary - 2 : 0;
  text_json["pad_token_id"] = text.pad_id;
  const OrderedJson model = {{"architectures", OrderedJson::array({"CLIPModel"})},
                             {"model_type", "clip"},
                             {"projection_dim", config.embed_dim},
                             {"text_config", text_json},
                             {"vision_config", image_json}};
  refuse(prepare.resize_mode == "longest", "its pictures are padded (resize_mode longest)");
  const OrderedJson square = {{"height", vision.image_size}, {"width", vision.image_size}};
  const bool squash = prepare.resize_mode == "squash";
  OrderedJson preprocessor = {
      {"image_processor_type", "CLIPImageProcessor"},
      {"do_convert_rgb", true},
      {"do_resize", true},
      {"resample", prepare.interpolation == "bicubic" ? kBicubic : kBilinear},
      {"do_center_crop", !squash},
      {"crop_size", square},
      {"do_rescale", true},
      {"rescale_factor", 1.0 / 255},
      {"do_normalize", true}};
  preprocessor["size"] =
      squash ? square : OrderedJson::object({{"shortest_edge", vision.image_size}});
  for (const float value : prepare.mean) preprocessor["image_mean"].push_back(decimal(value));
  for (const float value : prepare.std) preprocessor["image_std"].push_back(decimal(value));
  return {model.dump(2) + "\n", preprocessor.dump(2) + "\n"};
}

}  // namespace openclip
