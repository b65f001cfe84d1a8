#include "models/towers/convnext.h"

#include <algorithm>

#include "kernels/images.h"
#include "models/towers/chunk.h"
#include "models/towers/folded_conv.h"
#include "tensor/split.h"

namespace openclip {
namespace {

constexpr ConvOptions kDownsample{.kernel = 2, .stride = 2};

// Rows of a block's MLP at a time: its hidden layer is to stay in the caches, but few rows would
// read the weights too often.
constexpr int64_t kHiddenFloats = int64_t{1} << 20, kLeastRows = 512;

Linear load_conv(const Context& context, const Weights& weights, const std::string& name) {
  return FoldedConv(context, weights, name).add(name).linear(weights.precision());
}

NormWeights load_norm(const Context& context, const Weights& weights, const std::string& name,
                      const VisionConfig& config) {
  return NormWeights::load(context, weights, "visual.trunk." + name, config.norm_eps);
}

Linear load_head(const Context& context, const Weights& weights, const ConvNextConfig& config) {
  const std::string name = config.head_hidden > 0 ? "visual.head.mlp.fc2" : "visual.head.proj";
  return weights.linear(
      context, Weights::LinearNames{.weight = name + ".weight",
                                    .bias = config.head_bias ? name + ".bias" : std::string()});
}

}  // namespace

ConvNextTower::ConvNextTower(const Context& context, const Weights& weights,
                             const ModelConfig& config)
    : ImageTower(config.vision.image_size, pictures_per_chunk(config.vision.image_size)),
      config_(config.vision),
      head_norm_(load_norm(context, weights, "head.norm", config_)),
      head_(load_head(context, weights, *config_.convnext)) {
  const ConvNextConfig& convnext = *config_.convnext;
  for (size_t s = 0; s < convnext.dims.size(); ++s) {
    const std::string name = fmt::format("stages.{}", s);
    Stage stage;
    if (s == 0) {
      stage.downsample = weights.linear(context, "visual.trunk.stem.0");
      stage.norm = load_norm(context, weights, "stem.1", config_);
    } else {
      stage.norm = load_norm(context, weights, name + ".downsample.0", config_);
      stage.downsample = load_conv(context, weights, "visual.trunk." + name + ".downsample.1");
    }
    for (int b = 0; b < convnext.depths[s]; ++b) {
      const std::string block = fmt::format("{}.blocks.{}", name, b);
      const std::string key = "visual.trunk." + block;
      const Tensor taps = weights.tensor(context, key + ".conv_dw.weight");
      const Tensor bias = weights.tensor(context, key + ".conv_dw.bias");
      const Tensor gamma = weights.tensor(context, key + ".gamma");
      const ChannelAffine scale{{gamma.span().begin(), gamma.span().end()}, {}};
      stage.blocks.push_back({DepthwiseWeights(taps.span(), bias.span(), convnext.dims[s]),
                              load_norm(context, weights, block + ".norm", config_),
                              weights.block_linear(context, key + ".mlp.fc1"),
                              weights.block_linear(context, key + ".mlp.fc2", &scale)});
    }
    stages_.push_back(std::move(stage));
  }
  if (convnext.head_hidden > 0) head_hidden_ = weights.linear(context, "visual.head.mlp.fc1");
}

void ConvNextTower::enter(const Context& context, const Stage& stage, const Images& x,
                          const Images& out) const {
  stage.norm.apply(context, x.pixels, x.pixels);
  conv2d(context, x, stage.downsample, kDownsample, out);
}

void ConvNextTower::run(const Context& context, Workspace& workspace, const Block& block,
                        const Images& x) const {
  const Workspace::Frame frame(workspace);
  const int64_t rows = x.pixels.rows, width = x.channels(), hidden = block.fc1.out();
  const Images y{workspace.take(rows, width), x.count, x.height, x.width};
  depthwise_conv(context, workspace, x, block.depthwise, y);
  block.norm.apply(context, y.pixels, y.pixels);
  const int64_t most = std::min(rows, std::max(kLeastRows, kHiddenFloats / hidden));
  const Matrix wide = workspace.take(most, hidden);
  for (int64_t begin = 0; begin < rows; begin += most) {
    const int64_t count = std::min(most, rows - begin);
    const Matrix own = wide.row_range(0, count), to = x.pixels.row_range(begin, count);
    linear(context, y.pixels.row_range(begin, count), block.fc1, own, {.op = UnaryOp::gelu});
    linear(context, own, block.fc2, to, {.residual = to});
  }
}

Images ConvNextTower::trunk(const Context& context, Workspace& workspace,
                            const kernels::PatchRows& patches, const Images& first) const {
  Images x = first;
  for (size_t s = 0; s < stages_.size(); ++s) {
    const Stage& stage = stages_[s];
    if (s == 0) {
      linear(context, patches, stage.downsample, x.pixels);
      stage.norm.apply(context, x.pixels, x.pixels);
    } else {
      const int64_t height = x.height / 2, width = x.width / 2, dim = config_.convnext->dims[s];
      const Images next{workspace.take(x.count * height * width, dim), x.count, height, width};
      enter(context, stage, x, next);
      x = next;
    }
    for (const Block& block : stage.blocks) run(context, workspace, block, x);
  }
  return x;
}

void ConvNextTower::head(const Context& context, Workspace& workspace, Matrix pooled,
                         Matrix out) const {
  head_norm_.apply(context, pooled, pooled);
  if (!head_hidden_) return linear(context, pooled, head_, out);
  const Matrix hidden = workspace.take(pooled.rows, head_hidden_->out());
  linear(context, pooled, *head_hidden_, hidden, {.op = UnaryOp::gelu});
  linear(context, hidden, head_, out);
}

void ConvNextTower::encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                                 Matrix out) const {
  const int64_t count = out.rows, side = config_.convnext->side(config_.image_size, 0);
  const kernels::PatchRows patches(pixels, 3, static_cast<size_t>(config_.image_size), 4);
  const Matrix first = workspace.take(count * side * side, config_.convnext->dims[0]);
  const Images x = trunk(context, workspace, patches, {first, count, side, side});
  const Matrix pooled = workspace.take(count, x.channels());
  const int64_t area = x.height * x.width;
  for_rows(context, count, area * x.channels(), [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i)
      kernels::mean_of_rows(ConstMatrix(x.pixels.row_range(i * area, area)), pooled.row(i));
  });
  head(context, workspace, pooled, out);
}

void ConvNextTower::encode_places(const Context& context, Workspace& workspace,
                                  const DenseInput& input, Matrix out) const {
  if (input.reading != DenseReading::automatic && input.reading != DenseReading::values)
    throw Unsupported(
        "a ConvNeXt is read densely as 'values'; its last step is no transformer's "
        "block");
  const int64_t height = input.height / 4, width = input.width / 4;
  const kernels::PatchRows patches(input.pixels, 3, static_cast<size_t>(input.height),
                                   static_cast<size_t>(input.width), 4);
  const Matrix first = workspace.take(height * width, config_.convnext->dims[0]);
  const Images x = trunk(context, workspace, patches, {first, 1, height, width});
  head(context, workspace, x.pixels, out);
}

}  // namespace openclip
