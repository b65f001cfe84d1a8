// ConvNeXt image towers as data: what timm's names stand for, and the head that open_clip puts on
// them. Part of rank 4, free of tensors.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace openclip {

class ConfigReader;
struct VisionConfig;

/// A trunk of timm's models/convnext.py (patch stem, LayerScale, no GRN) and its projection.
struct ConvNextConfig {
  std::string trunk;            // timm's name
  std::array<int, 4> depths{};  // of each stage
  std::array<int, 4> dims{};    // channels of each stage
  int head_hidden = 0;          // of an MLP head (timm_proj mlp); 0 = one Linear
  bool head_bias = false;       // of the head's last Linear

  /// Height and width of stage `stage`'s maps: the stem divides by 4, each later stage by 2, and
  /// pixels left over are dropped.
  static int64_t side(int image_size, int stage) { return image_size >> (2 + stage); }
};

/// Whether timm's `name` is a ConvNeXt in the table (config/convnext_trunks.json).
bool is_convnext_trunk(const std::string& name);

/// Fills `vision` from a vision_cfg whose timm_model_name is_convnext_trunk(); its image_size has
/// been read. timm_model_kwargs may replace the table's depths, dims and norm_eps, as they do in
/// timm. Throws: Unsupported for other poolings, heads and arguments, ParseError for sizes out of
/// range.
void read_convnext(ConfigReader& reader, int embed_dim, VisionConfig& vision);

}  // namespace openclip
