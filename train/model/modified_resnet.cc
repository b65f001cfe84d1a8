#include <fmt/format.h>

#include <cmath>

#include "model/batch_norm.h"
#include "model/towers.h"

namespace openclip::train {
namespace {

class ResNet {
 public:
  ResNet(const TensorStore& store, BatchNormMode batch_norm)
      : store_(store), batch_norm_(batch_norm) {}

  at::Tensor stem(const at::Tensor& pixels) const {
    at::Tensor x = norm_relu("bn1", conv("conv1", pixels, 2, 1));
    x = norm_relu("bn2", conv("conv2", x, 1, 1));
    x = norm_relu("bn3", conv("conv3", x, 1, 1));
    return at::avg_pool2d(x, 2);
  }

  // All convolutions have stride 1; a stage's step down is an average pool.
  at::Tensor bottleneck(const std::string& block, const at::Tensor& x, int stride) const {
    at::Tensor out = norm_relu(block + ".bn1", conv(block + ".conv1", x));
    out = norm_relu(block + ".bn2", conv(block + ".conv2", out, 1, 1));
    if (stride > 1) out = at::avg_pool2d(out, stride);
    out = norm(block + ".bn3", conv(block + ".conv3", out));
    at::Tensor identity = x;
    if (store_.has("visual." + block + ".downsample.0.weight")) {
      if (stride > 1) identity = at::avg_pool2d(identity, stride);
      identity = norm(block + ".downsample.1", conv(block + ".downsample.0", identity));
    }
    return out.add_(identity).relu_();
  }

  // Attention with the mean as the only query: open_clip computes all outputs and keeps this one.
  // With one query, keys and values need not be computed: q . (K x) = (K^T q) . x, and the mixture
  // of values is V (mixture of tokens). That is a fifth of the work for 2 x 2 positions. The keys'
  // bias adds the same to every score of a query and drops out of the softmax: its gradient is 0.
  ImageOutput attention_pool(const at::Tensor& x, int64_t heads) const {
    const int64_t batch = x.size(0), width = x.size(1), head_width = width / heads;
    at::Tensor tokens = x.flatten(2).transpose(1, 2);  // [batch, positions, width]
    tokens = at::cat({tokens.mean(1, /*keepdim=*/true), tokens}, 1) +
             store_.get("visual.attnpool.positional_embedding");
    const auto weight = [&](const char* name) {  // [heads, head_width, width]
      return pool_tensor(name).view({heads, head_width, width});
    };
    const at::Tensor query = linear("q_proj", tokens.select(1, 0))  // [heads, batch, head_width]
                                 .view({batch, heads, head_width})
                                 .transpose(0, 1);
    const at::Tensor seen = at::bmm(query, weight("k_proj.weight")).transpose(0, 1);
    const at::Tensor scores = at::bmm(seen, tokens.transpose(1, 2));  // [batch, heads, positions]
    const at::Tensor shares = at::softmax(scores / std::sqrt(static_cast<double>(head_width)), -1);
    const at::Tensor mixed = at::bmm(shares, tokens).transpose(0, 1);  // [heads, batch, width]
    const at::Tensor pooled = at::bmm(mixed, weight("v_proj.weight").transpose(1, 2))
                                  .transpose(0, 1)
                                  .reshape({batch, width}) +
                              pool_tensor("v_proj.bias");
    return {pooled, linear("c_proj", pooled)};
  }

 private:
  at::Tensor conv(const std::string& name, const at::Tensor& x, int stride = 1,
                  int padding = 0) const {
    const at::Tensor& weight = store_.get("visual." + name + ".weight");
    // A product needs no other layout of the pixels, which oneDNN's convolutions make and undo.
    if (weight.size(2) == 1 && weight.size(3) == 1 && stride == 1)
      return at::linear(x.permute({0, 2, 3, 1}), weight.flatten(1)).permute({0, 3, 1, 2});
    return at::conv2d(x, weight, {}, stride, padding);
  }

  at::Tensor norm(const std::string& name, const at::Tensor& x, bool relu = false) const {
    const auto tensor = [&](const char* part) { return store_.get("visual." + name + part); };
    if (batch_norm_ == BatchNormMode::batch_update) tensor(".num_batches_tracked").add_(1);
    return batch_norm(
        x, {tensor(".weight"), tensor(".bias"), tensor(".running_mean"), tensor(".running_var")},
        batch_norm_, relu);
  }

  at::Tensor norm_relu(const std::string& name, const at::Tensor& x) const {
    return norm(name, x, /*relu=*/true);
  }

  const at::Tensor& pool_tensor(const std::string& name) const {
    return store_.get("visual.attnpool." + name);
  }

  at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    return at::linear(x, pool_tensor(name + ".weight"), pool_tensor(name + ".bias"));
  }

  const TensorStore& store_;
  const BatchNormMode batch_norm_;
};

}  // namespace

ImageOutput modified_resnet(const ModelConfig& config, const TensorStore& store,
                            const at::Tensor& pixels, BatchNormMode batch_norm) {
  const ResNet net(store, batch_norm);
  at::Tensor x = net.stem(pixels.contiguous(at::MemoryFormat::ChannelsLast));
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < config.vision.stages[stage]; ++i)
      x = net.bottleneck(fmt::format("layer{}.{}", stage + 1, i), x, i == 0 && stage > 0 ? 2 : 1);
  return net.attention_pool(x, config.vision.heads);
}

}  // namespace openclip::train
