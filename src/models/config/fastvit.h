// FastViT image towers as data, the trunks of MobileCLIP: what timm's names stand for. Part of rank
// 4, free of tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace openclip {

class ConfigReader;
struct VisionConfig;

/// A trunk of timm's models/fastvit.py (fastvit_mci*) and the Linear that open_clip puts on it.
struct FastVitConfig {
  struct Stage {
    int depth = 1, width = 1, mlp_width = 1;
    bool attention = false;  // blocks attend, and positions are a convolution; else blocks convolve
    bool squeeze = false;    // squeeze-and-excitation on the way into the stage
  };
  std::string trunk;          // timm's name
  std::vector<Stage> stages;  // all but the first begin with half of the size before
  bool layer_norm = false;    // before attention, in place of BatchNorm
  bool stem_scale = true;     // the stem's convolutions have a 1x1 branch beside them

  /// Channels of attention's heads, and how much wider than the last stage the feature is.
  static constexpr int kHeadDim = 32, kFinalFactor = 2;
  static int64_t half(int64_t side) { return (side + 1) / 2; }
  /// Channels between the two layers of squeeze-and-excitation: a quarter on the way into a stage,
  /// rounded to a multiple of 8; a 16th of the final width.
  static int stage_squeeze(int width);
  static int final_squeeze(int width) { return width / 16; }

  /// Height and width of the maps of stage `stage`: the stem halves the picture's twice, each later
  /// stage once; what is odd is rounded up.
  static int64_t side(int image_size, size_t stage);
};

/// Whether timm's `name` is a FastViT in the table (config/fastvit_trunks.json).
bool is_fastvit_trunk(const std::string& name);

/// Fills `vision` from a vision_cfg whose timm_model_name is_fastvit_trunk(); its image_size has
/// been read. timm_model_kwargs may replace `layers` and `embed_dims`, as they do in timm.
/// Throws: Unsupported for other poolings, heads and arguments, ParseError for sizes out of range.
void read_fastvit(ConfigReader& reader, VisionConfig& vision);

}  // namespace openclip
