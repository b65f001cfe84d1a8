#include "models/config/convnext.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/config/config_reader.h"
#include "models/config/model_config.h"

namespace openclip {

namespace embedded {
extern const std::string_view convnext_trunks_json;
}

namespace {

using Json = nlohmann::json;

const Json& convnext_trunks() {
  static const Json all = Json::parse(embedded::convnext_trunks_json).at("trunks");
  return all;
}

// Four sizes from 1 to `most`.
std::array<int, 4> read_stages(ConfigReader& reader, const Json& facts, const char* key, int most) {
  const Json& value = facts.at(key);
  std::array<int, 4> out{};
  bool good = value.is_array() && value.size() == out.size();
  for (size_t i = 0; good && i < out.size(); ++i) {
    good = value[i].is_number_integer() && value[i] >= 1 && value[i] <= most;
    if (good) out[i] = value[i];
  }
  if (!good)
    reader.fail("timm_model_kwargs", fmt::format("{} must be four sizes to {}", key, most));
  return out;
}

// The table's facts about a trunk, with what the config replaces.
Json trunk_facts(ConfigReader& reader, const std::string& trunk) {
  Json facts = convnext_trunks().at(trunk);
  if (!reader.has("timm_model_kwargs")) return facts;
  const Json& kwargs = reader.get("timm_model_kwargs");
  if (!kwargs.is_object()) reader.fail("timm_model_kwargs", "must be a JSON object");
  for (const auto& [key, value] : kwargs.items()) {
    if (!facts.contains(key))
      reader.unsupported(
          fmt::format("timm_model_kwargs: '{}' is not supported by this engine", key));
    facts[key] = value;
  }
  return facts;
}

}  // namespace

bool is_convnext_trunk(const std::string& name) { return convnext_trunks().contains(name); }

void read_convnext(ConfigReader& reader, int embed_dim, VisionConfig& vision) {
  ConvNextConfig config;
  config.trunk = reader.text("timm_model_name", "");
  const Json facts = trunk_facts(reader, config.trunk);
  config.depths = read_stages(reader, facts, "depths", 1000);
  config.dims = read_stages(reader, facts, "dims", 1 << 16);
  if (!facts.at("norm_eps").is_number()) reader.fail("timm_model_kwargs", "norm_eps is no number");
  const std::string pool = reader.text("timm_pool", "avg"), head = reader.text("timm_proj", "");
  if (!pool.empty() && pool != "avg")
    reader.unsupported(fmt::format("timm_pool '{}' is not supported for a ConvNeXt", pool));
  if (head != "linear" && head != "mlp")
    reader.unsupported(
        fmt::format("timm_proj must be linear or mlp for a ConvNeXt, got '{}'", head));
  if (head == "mlp") config.head_hidden = 2 * embed_dim;
  config.head_bias = reader.boolean("timm_proj_bias", false);
  if (config.side(vision.image_size, 3) < 1) reader.fail("image_size", "must be 32 at least");
  vision.width = config.dims.back();
  vision.norm_eps = facts.at("norm_eps");
  vision.activation = Activation::gelu;
  vision.convnext = config;
}

}  // namespace openclip
