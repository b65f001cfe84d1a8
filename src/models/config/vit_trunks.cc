#include "models/config/vit_trunks.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace openclip {

namespace embedded {
extern const std::string_view vit_trunks_json;
}

namespace {

// Parsed on first use only: most programs never meet a timm tower.
const nlohmann::json& vit_trunks() {
  static const nlohmann::json all = nlohmann::json::parse(embedded::vit_trunks_json).at("trunks");
  return all;
}

}  // namespace

std::string find_map_trunk(const VisionConfig& vision) {
  std::string best;
  for (const auto& [name, json] : vit_trunks().items()) {
    VisionConfig trunk;
    apply_vit_trunk(name, trunk);
    const bool same = trunk.pool_mlp_width > 0 && !trunk.eva &&
                      trunk.patch_size == vision.patch_size && trunk.width == vision.width &&
                      trunk.layers == vision.layers && trunk.heads == vision.heads &&
                      trunk.mlp_width == vision.mlp_width &&
                      trunk.activation == vision.activation && trunk.norm_eps == vision.norm_eps;
    if (same && (best.empty() || trunk.image_size == vision.image_size)) best = name;
  }
  return best;
}

namespace {

EvaQkv qkv_of(const nlohmann::json& name) {
  if (name == "joint") return EvaQkv::joint;
  return name == "separate" ? EvaQkv::separate : EvaQkv::joint_no_key;
}

EvaConfig eva_of(const nlohmann::json& json) {
  EvaConfig eva;
  eva.qkv = qkv_of(json.at("qkv"));
  eva.post_norm = json.at("post_norm");
  eva.swiglu = json.at("swiglu");
  eva.pool_heads = json.at("pool_heads");
  if (const auto rope = json.find("rope"); rope != json.end())
    eva.rope = RopeConfig{rope->at("reference"), rope->at("offset"), rope->at("columns_first")};
  return eva;
}

}  // namespace

bool apply_vit_trunk(const std::string& name, VisionConfig& vision) {
  const auto found = vit_trunks().find(name);
  if (found == vit_trunks().end()) return false;
  const nlohmann::json& trunk = *found;
  vision.timm_trunk = name;
  vision.image_size = trunk.at("image_size");
  vision.patch_size = trunk.at("patch_size");
  vision.patch_bias = trunk.at("patch_bias");
  vision.class_token = trunk.at("class_token");
  vision.class_position = !trunk.contains("conv_stem");
  vision.conv_stem = trunk.contains("conv_stem");
  vision.no_ln_pre = !trunk.at("norm_pre").get<bool>();
  vision.width = trunk.at("width");
  vision.layers = trunk.at("layers");
  vision.heads = trunk.at("heads");
  vision.mlp_width = trunk.at("mlp_width");
  vision.pool_mlp_width = trunk.at("pool_mlp_width");
  vision.activation =
      trunk.at("activation") == "gelu_tanh" ? Activation::gelu_tanh : Activation::gelu;
  vision.norm_eps = trunk.at("norm_eps");
  if (trunk.contains("eva")) vision.eva = eva_of(trunk.at("eva"));
  return true;
}

}  // namespace openclip
