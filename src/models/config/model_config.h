// A CLIP model as data: open_clip's `model_cfg` and `preprocess_cfg`, parsed and checked. Part of
// rank 4, but free of tensors, so that the trainer can use it too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/precision.h"
#include "models/config/convnext.h"
#include "models/config/eva.h"
#include "models/config/fastvit.h"
#include "models/config/hf_text.h"

namespace openclip {

enum class Activation { gelu, gelu_tanh, quick_gelu };
enum class VisionPool { tok, avg, map, none };  // map: attention with one learned query
enum class TextPool { argmax, first, last, eos, none };

/// What follows the pooled token of an image tower.
enum class VisionProjection {
  matrix,  // x P, open_clip's own towers
  linear,  // x W^T + b, the classifier of a timm tower
  none     // the width is embed_dim
};

/// open_clip's CLIPVisionCfg for the towers that this engine knows.
struct VisionConfig {
  std::string timm_trunk;       // name of a timm vision transformer; empty = open_clip's own
  bool is_resnet = false;       // `layers` is a list of four: ModifiedResNet, else ViT
  int image_size = 224;         // height and width, pixels
  int width = 768;              // ViT: token width; ResNet: width of the stem
  int layers = 12;              // ViT blocks
  std::array<int, 4> stages{};  // ResNet blocks of each stage
  int heads = 12;               // ViT: width / head_width; ResNet: 32 * width / head_width
  int mlp_width = 3072;         // int(width * mlp_ratio)
  int patch_size = 32;
  std::optional<float> ls_init_value;  // LayerScale, absent = none
  bool class_token = true;
  bool class_position = true;    // of the class token; else only patches have positions
  bool conv_stem = false;        // patches of 16 by three convolutions, 4x4, 2x2 and 2x2
  bool patch_bias = false;       // of the convolution that makes the patches
  bool fixed_positions = false;  // sin_cos_2d: not learned
  bool no_ln_pre = false;
  bool final_ln_after_pool = false;
  VisionPool pool = VisionPool::tok;
  int attn_pool_queries = 0;  // CoCa's attention pooling before ln_post and `pool`; 0 = none
  int attn_pool_heads = 8;
  int pool_mlp_width = 0;  // of pool map
  VisionProjection projection = VisionProjection::matrix;
  Activation activation = Activation::gelu;
  float norm_eps = 1e-5f;
  std::optional<EvaConfig> eva{};            // present: timm's Eva, with what that adds to a ViT
  std::optional<ConvNextConfig> convnext{};  // present: no ViT, and the ViT's sizes say nothing
  std::optional<FastVitConfig> fastvit{};    // the same

  bool is_vit() const { return !is_resnet && !convnext && !fastvit; }
  bool is_timm() const { return !timm_trunk.empty(); }
  int grid() const { return image_size / (is_resnet ? 32 : patch_size); }
  int tokens() const { return grid() * grid() + (class_token ? 1 : 0); }  // of a ViT
};

/// open_clip's CLIPTextCfg for the native text transformer, or for one of Hugging Face
/// transformers.
struct TextConfig {
  int context_length = 77;
  int vocab_size = 49408;
  int width = 512;
  int heads = 8;
  int layers = 12;
  int mlp_width = 2048;
  std::optional<float> ls_init_value;
  bool causal = true;
  TextPool pool = TextPool::argmax;
  int pad_id = 0;
  std::optional<int> eos_id;
  bool embed_cls = false;      // CoCa: a learned token at the end, which is the pooled one
  bool has_projection = true;  // proj_type linear | none
  bool projection_bias = false;
  Activation activation = Activation::gelu;
  float norm_eps = 1e-5f;
  std::string hf_tokenizer_name;     // empty = CLIP's own byte-pair tokenizer
  std::optional<HfTextConfig> hf{};  // present: a tower of transformers, `pool` says nothing
};

/// open_clip's MultimodalCfg: the decoder that writes captions (CoCa).
struct DecoderConfig {
  int context_length = 77;
  int vocab_size = 49408;  // of its output: that of the text tower's embedding
  int width = 512;         // of its tokens, and of the picture's that it attends to
  int heads = 8;
  int layers = 12;
  int mlp_width = 2048;
  std::optional<float> ls_init_value;
  Activation activation = Activation::gelu;
};

/// Heads that predict boxes, on top of a CLIP whose patches are all kept.
enum class BoxHeads { none, owlvit, owlv2 };

/// open_clip's preprocess_cfg (evaluation transform).
struct PreprocessSettings {
  std::array<float, 3> mean{0.48145466f, 0.4578275f, 0.40821073f};
  std::array<float, 3> std{0.26862954f, 0.26130258f, 0.27577711f};
  std::string interpolation = "bicubic";  // bicubic | bilinear
  std::string resize_mode = "shortest";   // shortest | longest | squash; of OWLv2 pad_blur
  int fill_color = 0;
};

/// A whole model. `json` keeps the text of model_cfg as it was read, for writing it out again.
struct ModelConfig {
  std::string name;
  int embed_dim = 512;
  bool custom_text = false;  // text tower's keys carry the prefix `text.`
  bool text_only = false;    // a text encoder of transformers: `vision` says nothing
  bool has_logit_bias = false;
  BoxHeads boxes = BoxHeads::none;
  VisionConfig vision;
  TextConfig text;
  std::optional<DecoderConfig> decoder{};  // present: a CoCa
  PreprocessSettings preprocess;
  std::string model_cfg_json;
  Precision precision = Precision::f32;  // int8 where the weights were quantised
};

/// Parses open_clip's model JSON ({embed_dim, vision_cfg, text_cfg, …}) or an open_clip_config.json
/// ({model_cfg, preprocess_cfg} and, where the weights are quantised, quantization_cfg). `source`
/// names it in errors; `name` becomes ModelConfig::name. Throws: ParseError for malformed or
/// out-of-range values, Unsupported for towers or options that this engine does not have (named,
/// never ignored).
ModelConfig parse_model_config(const std::string& json_text, const std::string& source,
                               const std::string& name);

/// Whether a tower computes QuickGELU.
bool uses_quick_gelu(const ModelConfig& config);

/// Switches the native towers to QuickGELU, as open_clip's force_quick_gelu does; those of timm
/// and transformers have activations of their own.
void force_quick_gelu(ModelConfig& config);

/// Pictures of `pixels` x `pixels`, as open_clip's force_image_size; the positions of a checkpoint
/// are resized when it is loaded. Throws: InvalidArgument for sizes below one patch or above 4096,
/// and for ResNets, whose positions open_clip does not resize.
void set_image_size(ModelConfig& config, int pixels);

/// Texts of up to `tokens` tokens, as open_clip's force_context_length; positions as above.
/// Throws: InvalidArgument for lengths outside of 1 to 8192.
void set_context_length(ModelConfig& config, int tokens);

/// open_clip_config.json of `config`: {"model_cfg": …, "preprocess_cfg": …}, indented; with
/// "quantization_cfg": {"method": "int8"} where config.precision says so.
std::string open_clip_config_json(const ModelConfig& config);

}  // namespace openclip
