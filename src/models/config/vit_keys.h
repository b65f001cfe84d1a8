// Key names of the vision transformers, which open_clip and timm spell differently. Part of rank 4,
// free of tensors.
#pragma once

#include "models/config/model_config.h"

namespace openclip {

/// Names of a residual attention block's tensors, relative to the block. qkv is one matrix with the
/// rows of q, k and v; the others are modules with `.weight` and `.bias`, ls_* with `.gamma`.
struct BlockKeys {
  const char *ln_1, *qkv_weight, *qkv_bias, *out_proj, *ls_1, *ln_2, *c_fc, *c_proj, *ls_2;
};

/// open_clip's ResidualAttentionBlock, in both towers.
inline constexpr BlockKeys kOpenClipBlock{"ln_1",
                                          "attn.in_proj_weight",
                                          "attn.in_proj_bias",
                                          "attn.out_proj",
                                          "ls_1",
                                          "ln_2",
                                          "mlp.c_fc",
                                          "mlp.c_proj",
                                          "ls_2"};

/// timm's vision_transformer.Block.
inline constexpr BlockKeys kTimmBlock{"norm1", "attn.qkv.weight", "attn.qkv.bias", "attn.proj",
                                      "ls1",   "norm2",           "mlp.fc1",       "mlp.fc2",
                                      "ls2"};

/// Names of a vision transformer's tensors, all with the prefix `visual.`.
struct VitKeys {
  const char *class_token, *positions, *patches, *ln_pre, *blocks, *ln_post;
  const BlockKeys& block;
};

inline constexpr VitKeys kOpenClipVit{"class_embedding", "positional_embedding",  "conv1",
                                      "ln_pre",          "transformer.resblocks", "ln_post",
                                      kOpenClipBlock};
inline constexpr VitKeys kTimmVit{"trunk.cls_token", "trunk.pos_embed", "trunk.patch_embed.proj",
                                  "trunk.norm_pre",  "trunk.blocks",    "trunk.norm",
                                  kTimmBlock};

inline const VitKeys& vit_keys(const VisionConfig& vision) {
  return vision.is_timm() ? kTimmVit : kOpenClipVit;
}

}  // namespace openclip
