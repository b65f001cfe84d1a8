#include <fmt/format.h>

#include "model/linear.h"
#include "model/towers.h"
#include "model/transformer.h"

namespace openclip::train {
namespace {

constexpr const char* kName = "visual.attn_pool.attn";

// Part 0, 1 or 2 (query, key, value) of the projections. torch keeps them in one matrix where the
// picture's tokens are as wide as the queries.
at::Tensor project(const TensorStore& store, int part, const at::Tensor& x, int64_t width) {
  const std::string bias = fmt::format("{}.in_proj_bias", kName);
  const std::string together = fmt::format("{}.in_proj_weight", kName);
  if (store.has(together)) return linear_part(store, together, bias, x, part * width, width);
  return at::linear(x, store.get(fmt::format("{}.{}_proj_weight", kName, "qkv"[part])),
                    store.get(bias).slice(0, part * width, (part + 1) * width));
}

}  // namespace

at::Tensor attentional_pool(const VisionConfig& vision, const TensorStore& store,
                            const at::Tensor& x) {
  const at::Tensor seen = layer_norm(store, "visual.attn_pool.ln_k", x, vision.norm_eps);
  const at::Tensor asked = layer_norm(store, "visual.attn_pool.ln_q",
                                      store.get("visual.attn_pool.query"), vision.norm_eps);
  const int64_t width = asked.size(1);
  const at::Tensor q = project(store, 0, asked, width).unsqueeze(0).expand({x.size(0), -1, -1});
  const at::Tensor mixed = attention_of(q, project(store, 1, seen, width),
                                        project(store, 2, seen, width), vision.attn_pool_heads);
  const std::string out = fmt::format("{}.out_proj", kName);
  return linear(store, out + ".weight", out + ".bias", mixed);
}

}  // namespace openclip::train
