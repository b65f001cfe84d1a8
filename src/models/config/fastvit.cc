#include "models/config/fastvit.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/config/config_reader.h"
#include "models/config/model_config.h"

namespace openclip {

namespace embedded {
extern const std::string_view fastvit_trunks_json;
}

namespace {

using Json = nlohmann::json;

const Json& fastvit_trunks() {
  static const Json all = Json::parse(embedded::fastvit_trunks_json).at("trunks");
  return all;
}

// The table's sizes of each stage, or those that timm_model_kwargs has in their place.
std::vector<int> read_stages(ConfigReader& vision_cfg, const Json& facts, const char* fact,
                             const char* kwarg, int most) {
  std::vector<int> out = facts.at(fact);
  if (!vision_cfg.has("timm_model_kwargs")) return out;
  ConfigReader kwargs(vision_cfg.get("timm_model_kwargs"),
                      vision_cfg.source() + ": timm_model_kwargs");
  kwargs.skip({"layers", "embed_dims"});
  kwargs.refuse_unknown();
  if (!kwargs.has(kwarg)) return out;
  const Json& value = kwargs.get(kwarg);
  bool good = value.is_array() && value.size() == out.size();
  for (size_t i = 0; good && i < out.size(); ++i) {
    good = value[i].is_number_integer() && value[i] >= 1 && value[i] <= most;
    if (good) out[i] = value[i];
  }
  if (!good) kwargs.fail(kwarg, fmt::format("must be {} sizes to {}", out.size(), most));
  return out;
}

}  // namespace

bool is_fastvit_trunk(const std::string& name) { return fastvit_trunks().contains(name); }

int FastVitConfig::stage_squeeze(int width) { return std::max(8, (width / 4 + 4) / 8 * 8); }

int64_t FastVitConfig::side(int image_size, size_t stage) {
  int64_t side = half(half(image_size));
  for (size_t i = 0; i < stage; ++i) side = half(side);
  return side;
}

void read_fastvit(ConfigReader& reader, VisionConfig& vision) {
  FastVitConfig config;
  config.trunk = reader.text("timm_model_name", "");
  const Json& facts = fastvit_trunks().at(config.trunk);
  const std::vector<int> depths = read_stages(reader, facts, "depths", "layers", 1000);
  const std::vector<int> widths = read_stages(reader, facts, "dims", "embed_dims", 1 << 16);
  for (size_t i = 0; i < depths.size(); ++i) {
    const bool attention = facts.at("attention")[i];
    if (i > 0 && widths[i] % widths[i - 1] != 0)
      reader.fail("timm_model_kwargs", "embed_dims must be multiples of one another");
    if (attention && widths[i] % FastVitConfig::kHeadDim != 0)
      reader.fail("timm_model_kwargs", "embed_dims of attention must be multiples of 32");
    config.stages.push_back({depths[i], widths[i], widths[i] * facts.at("mlp_ratio").get<int>(),
                             attention, facts.at("squeeze")[i]});
  }
  config.layer_norm = facts.at("layer_norm");
  config.stem_scale = facts.at("stem_scale");
  if (reader.text("timm_pool", "avg") != "avg")
    reader.unsupported("timm_pool must be avg for a FastViT");
  if (reader.text("timm_proj", "") != "")
    reader.unsupported("timm_proj must be absent for a FastViT");
  vision.width = widths.back() * FastVitConfig::kFinalFactor;
  vision.norm_eps = 1e-5f;
  vision.activation = Activation::gelu;
  vision.fastvit = config;
}

}  // namespace openclip
