// What timm's Eva trunks have beyond a ViT: EVA-01, EVA-02 and Perception Encoder. Part of rank 4,
// free of tensors.
#pragma once

#include <optional>

namespace openclip {

/// Rotary positions: pairs of a head's channels of queries and keys are turned by the patch's row
/// (first half of the channels) and column (second half).
struct RopeConfig {
  int reference = 16;          // grid that the positions are scaled to, patches of a side
  float offset = 0;            // of all positions
  bool columns_first = false;  // grid_indexing "xy"
};

/// Names of the projections of queries, keys and values.
enum class EvaQkv {
  joint,         // qkv.weight, qkv.bias
  joint_no_key,  // qkv.weight, q_bias, v_bias: keys have no bias
  separate       // q_proj, k_proj (without bias), v_proj
};

struct EvaConfig {
  EvaQkv qkv = EvaQkv::joint;
  bool post_norm = false;  // x + norm(f(x)) in place of x + f(norm(x))
  bool swiglu = false;     // fc2(norm(silu(g) x)), and a norm after attention too
  int pool_heads = 0;      // of attention pooling
  std::optional<RopeConfig> rope{};
};

}  // namespace openclip
