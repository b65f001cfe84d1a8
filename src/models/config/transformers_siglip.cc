#include "models/config/transformers_section.h"
#include "models/config/vit_trunks.h"

namespace openclip::transformers_files {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr float kSiglipEps = 1e-6f;
// Of google/siglip-*; only needed where a folder lacks its tokenizer.
constexpr const char* kSiglipTokenizer = "timm/ViT-B-16-SigLIP";

Activation siglip_activation(const Section& section) {
  const Activation activation = activation_of(section, "gelu_pytorch_tanh");
  if (activation == Activation::quick_gelu)
    section.fail("hidden_act", "must be gelu or gelu_pytorch_tanh");
  return activation;
}

// A trunk with this activation, for sizes that timm has no name for; timm_model_kwargs says them.
const char* other_trunk(Activation activation) {
  return activation == Activation::gelu ? "vit_base_patch16_siglip_224"
                                        : "vit_base_patch32_siglip_256";
}

OrderedJson siglip_vision_cfg(const Section& section, int width) {
  if (section.natural("num_channels", 3) != 3) section.fail("num_channels", "must be 3");
  if (!section.boolean("vision_use_head", true)) section.fail("vision_use_head", "must be true");
  if (static_cast<float>(section.number("layer_norm_eps", kSiglipEps)) != kSiglipEps)
    section.fail("layer_norm_eps", "must be 1e-6");
  VisionConfig vision;
  vision.image_size = section.natural("image_size", 224);
  vision.width = width;
  vision.layers = section.natural("num_hidden_layers", 12);
  vision.heads = section.natural("num_attention_heads", 12);
  vision.patch_size = section.natural("patch_size", 16);
  vision.mlp_width = section.natural("intermediate_size", 3072);
  vision.norm_eps = kSiglipEps;
  vision.activation = siglip_activation(section);
  OrderedJson tower = {{"image_size", vision.image_size}};
  const std::string trunk = find_map_trunk(vision);
  tower["timm_model_name"] = trunk.empty() ? other_trunk(vision.activation) : trunk;
  tower["timm_model_pretrained"] = false;
  if (trunk.empty())
    tower["timm_model_kwargs"] = {{"embed_dim", width},
                                  {"depth", vision.layers},
                                  {"num_heads", vision.heads},
                                  {"patch_size", vision.patch_size},
                                  {"mlp_ratio", mlp_ratio(width, vision.mlp_width)}};
  tower["timm_pool"] = "map";
  tower["timm_proj"] = "none";
  return tower;
}

OrderedJson siglip_text_cfg(const Section& section, const std::string& tokenizer) {
  const int width = section.natural("hidden_size", 768);
  OrderedJson tower = {{"context_length", section.natural("max_position_embeddings", 64)},
                       {"vocab_size", section.natural("vocab_size", 32000)},
                       {"width", width},
                       {"heads", section.natural("num_attention_heads", 12)},
                       {"layers", section.natural("num_hidden_layers", 12)},
                       {"no_causal_mask", true},
                       {"pool_type", "last"},
                       {"proj_bias", true},
                       {"norm_kwargs", {{"eps", section.number("layer_norm_eps", 1e-6)}}}};
  if (siglip_activation(section) == Activation::gelu_tanh)
    tower["act_kwargs"] = {{"approximate", "tanh"}};
  tower["mlp_ratio"] = mlp_ratio(width, section.natural("intermediate_size", 3072));
  // Its texts were canonicalised in training, whatever the tokenizer of transformers does.
  tower["hf_tokenizer_name"] = tokenizer.empty() ? kSiglipTokenizer : tokenizer;
  tower["tokenizer_kwargs"] = {{"clean", "canonicalize"}};
  return tower;
}

}  // namespace

OrderedJson siglip_model_cfg(const Section& vision, const Section& text,
                             const std::string& tokenizer) {
  const int width = vision.natural("hidden_size", 768);
  const int text_width = text.natural("hidden_size", 768);
  if (text.natural("projection_size", text_width) != width)
    text.fail("projection_size", "must be the hidden_size of vision_config");
  return {{"embed_dim", width},
          {"init_logit_bias", -10},
          {"custom_text", true},
          {"vision_cfg", siglip_vision_cfg(vision, width)},
          {"text_cfg", siglip_text_cfg(text, tokenizer)}};
}

}  // namespace openclip::transformers_files
