#include "models/towers/fastvit.h"

#include <algorithm>
#include <cmath>

#include "kernels/rows.h"
#include "kernels/unary.h"
#include "models/towers/chunk.h"
#include "tensor/attention.h"
#include "tensor/split.h"

namespace openclip {
namespace {

constexpr ConvOptions kStem{.kernel = 3, .stride = 2, .padding = 1, .op = UnaryOp::gelu};

const std::string kTrunk = "visual.trunk.";

Images take_images(Workspace& workspace, int64_t count, int64_t side, int64_t channels) {
  return {workspace.take(count * side * side, channels), count, side, side};
}

// In place, all of them dense.
void gelu(const Context& context, Matrix x) {
  for_rows(context, x.rows, x.cols, [&](int64_t begin, int64_t count) {
    kernels::unary_inplace(UnaryOp::gelu, x.row(begin), static_cast<size_t>(count * x.cols));
  });
}

void mean_of_maps(const Context& context, const Images& x, Matrix out) {
  const int64_t area = x.height * x.width;
  for_rows(context, x.count, area * x.channels(), [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i)
      kernels::mean_of_rows(ConstMatrix(x.pixels.row_range(i * area, area)), out.row(i));
  });
}

}  // namespace

FastVitTower::FastVitTower(const Context& context, const Weights& weights,
                           const ModelConfig& config)
    : ImageTower(config.vision.image_size, pictures_per_chunk(config.vision.image_size)),
      config_(config.vision) {
  const FastVitConfig& fastvit = *config_.fastvit;
  const int64_t first = fastvit.stages.front().width;
  const auto conv = [&](const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    FoldedConv sum(context, weights, out, in, kernel);
    sum.add(name + ".conv_kxk.0.conv", name + ".conv_kxk.0.bn");
    return sum;
  };
  const auto with_scale = [](FoldedConv sum, const std::string& name, bool scale) {
    if (scale) sum.add(name + ".conv_scale.conv", name + ".conv_scale.bn");
    return sum;
  };
  const std::string stem = kTrunk + "stem.", last = kTrunk + "final_conv";
  stem_conv_ = with_scale(conv(stem + "0", first, 3, 3), stem + "0", fastvit.stem_scale).linear();
  stem_halving_ =
      with_scale(conv(stem + "1", first, 1, 3), stem + "1", fastvit.stem_scale).depthwise();
  stem_mix_ = conv(stem + "2", first, first, 1).add_identity(stem + "2.identity").linear();
  for (size_t s = 0; s < fastvit.stages.size(); ++s)
    stages_.push_back(load_stage(context, weights, s));
  final_conv_ = with_scale(conv(last, config_.width, 1, 3), last, true).depthwise();
  final_squeeze_ = load_squeeze(context, weights, last + ".se");
  head_ = weights.linear(context, kTrunk + "head.fc");
}

FastVitTower::Squeeze FastVitTower::load_squeeze(const Context& context, const Weights& weights,
                                                 const std::string& name) const {
  return {weights.linear(context, name + ".fc1"), weights.linear(context, name + ".fc2")};
}

FastVitTower::Stage FastVitTower::load_stage(const Context& context, const Weights& weights,
                                             size_t index) const {
  const FastVitConfig::Stage& config = config_.fastvit->stages[index];
  const std::string name = fmt::format("{}stages.{}.", kTrunk, index);
  const int64_t width = config.width;
  Stage stage;
  if (index > 0) {
    const std::string down = name + "downsample.proj.";
    stage.halving = FoldedConv(context, weights, width, 1, 7)
                        .add(down + "0.large_conv.conv", down + "0.large_conv.bn")
                        .add(down + "0.small_conv.conv", down + "0.small_conv.bn")
                        .depthwise();
    if (config.squeeze) stage.squeeze = load_squeeze(context, weights, down + "0.se");
    stage.enter = FoldedConv(context, weights, width, width, 1)
                      .add(down + "1.conv_kxk.0.conv", down + "1.conv_kxk.0.bn")
                      .add_identity(down + "1.identity")
                      .linear(weights.precision());
  }
  if (config.attention)
    stage.positions = FoldedConv(context, weights, width, 1, 7)
                          .add(name + "pos_emb.pos_enc")
                          .add_input()
                          .depthwise();
  for (int b = 0; b < config.depth; ++b)
    stage.blocks.push_back(
        load_block(context, weights, fmt::format("{}blocks.{}.", name, b), config));
  return stage;
}

FastVitTower::Block FastVitTower::load_block(const Context& context, const Weights& weights,
                                             const std::string& name,
                                             const FastVitConfig::Stage& config) const {
  const int64_t width = config.width;
  Block block;
  if (config.attention) {
    block.mixer = load_attention(context, weights, name);
  } else {  // x + scale * (mixer(x) - norm(x))
    const std::string mixer = name + "token_mixer.";
    const Tensor scale = weights.tensor(context, mixer + "layer_scale.gamma");
    block.mixer = FoldedConv(context, weights, width, 1, 3)
                      .add(mixer + "mixer.conv_kxk.0.conv", mixer + "mixer.conv_kxk.0.bn")
                      .add(mixer + "mixer.conv_scale.conv", mixer + "mixer.conv_scale.bn")
                      .add_identity(mixer + "mixer.identity")
                      .add_identity(mixer + "norm.identity", -1)
                      .scale(scale.span())
                      .add_input()
                      .depthwise();
  }
  const char* gamma = config.attention ? "layer_scale_2.gamma" : "layer_scale.gamma";
  const Tensor scale = weights.tensor(context, name + gamma);
  const ChannelAffine affine{{scale.span().begin(), scale.span().end()}, {}};
  block.mlp = {FoldedConv(context, weights, width, 1, 7)
                   .add(name + "mlp.conv.conv", name + "mlp.conv.bn")
                   .depthwise(),
               weights.block_linear(context, name + "mlp.fc1"),
               weights.block_linear(context, name + "mlp.fc2", &affine)};
  return block;
}

FastVitTower::Attention FastVitTower::load_attention(const Context& context, const Weights& weights,
                                                     const std::string& block) const {
  const Tensor gamma = weights.tensor(context, block + "layer_scale_1.gamma");
  const ChannelAffine scale{{gamma.span().begin(), gamma.span().end()}, {}};
  Attention attention;
  attention.proj = weights.block_linear(context, block + "token_mixer.proj", &scale);
  const int64_t width = attention.proj.in();
  Tensor qkv = weights.tensor(context, block + "token_mixer.qkv.weight");  // [3 width, width]
  std::vector<float> bias(static_cast<size_t>(3 * width));
  if (config_.fastvit->layer_norm) {
    attention.norm = NormWeights::load(context, weights, block + "norm", config_.norm_eps);
  } else {  // W (s x + t) = (W s) x + W t
    const FoldedConv::Norm norm = FoldedConv::batch_norm(context, weights, block + "norm");
    for (int64_t row = 0; row < 3 * width; ++row) {
      float* const weight = qkv.data() + row * width;
      double shift = 0;
      for (int64_t i = 0; i < width; ++i) {
        const auto c = static_cast<size_t>(i);
        shift += weight[i] * norm.shift[c];
        weight[i] = static_cast<float>(weight[i] * norm.scale[c]);
      }
      bias[static_cast<size_t>(row)] = static_cast<float>(shift);
    }
  }
  const auto part = [&](int64_t index) {
    const auto begin = static_cast<size_t>(index * width), count = static_cast<size_t>(width);
    return Linear(context, qkv.span().subspan(begin * count, count * count),
                  std::span(bias).subspan(begin, count), {width, width}, weights.precision());
  };
  attention.q = part(0);
  attention.k = part(1);
  attention.v = part(2);
  return attention;
}

Images FastVitTower::stem(const Context& context, Workspace& workspace, const float* pixels,
                          int64_t count) const {
  const int64_t size = config_.image_size, half = conv_out_size(size, kStem);
  const Images out =
      take_images(workspace, count, FastVitConfig::side(config_.image_size, 0), stem_mix_.out());
  const Workspace::Frame frame(workspace);
  const Images input = take_images(workspace, count, size, 3);
  const Images wide = take_images(workspace, count, half, stem_conv_.out());
  const Images halved = take_images(workspace, count, out.height, stem_conv_.out());
  channels_last(context, pixels, input);
  conv2d(context, input, stem_conv_, kStem, wide);
  depthwise_conv(context, workspace, wide, stem_halving_, halved, 2);
  gelu(context, halved.pixels);
  linear(context, halved.pixels, stem_mix_, out.pixels, {.op = UnaryOp::gelu});
  return out;
}

void FastVitTower::squeeze(const Context& context, Workspace& workspace, const Squeeze& squeeze,
                           const Images& x) const {
  const Workspace::Frame frame(workspace);
  const Matrix mean = workspace.take(x.count, x.channels());
  const Matrix hidden = workspace.take(x.count, squeeze.fc1.out());
  mean_of_maps(context, x, mean);
  linear(context, mean, squeeze.fc1, hidden, {.op = UnaryOp::relu});
  linear(context, hidden, squeeze.fc2, mean);
  for (int64_t i = 0; i < x.count; ++i)
    for (int64_t c = 0; c < x.channels(); ++c) mean.row(i)[c] = 1 / (1 + std::exp(-mean.row(i)[c]));
  const int64_t area = x.height * x.width;
  for_rows(context, x.pixels.rows, x.channels(), [&](int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      const float* const gate = mean.row(row / area);
      float* const to = x.pixels.row(row);
      for (int64_t c = 0; c < x.channels(); ++c) to[c] *= gate[c];
    }
  });
}

void FastVitTower::attend(const Context& context, Workspace& workspace, const Attention& attention,
                          const Images& x) const {
  const Workspace::Frame frame(workspace);
  const int64_t rows = x.pixels.rows, width = x.channels(), area = x.height * x.width;
  const Matrix q = workspace.take(rows, width), k = workspace.take(rows, width);
  const Matrix v = workspace.take(rows, width), mixed = workspace.take(rows, width);
  Matrix normed = x.pixels;
  if (attention.norm) {
    normed = mixed;
    attention.norm->apply(context, x.pixels, normed);
  }
  linear(context, normed, {{attention.q, q}, {attention.k, k}, {attention.v, v}});
  std::vector<AttentionSpan> spans;
  const auto each = static_cast<size_t>(area);
  for (size_t i = 0; i < static_cast<size_t>(x.count); ++i)
    spans.push_back({i * each, each, i * each, each});
  openclip::attention(context, workspace, q, k, v, spans,
                      {.heads = width / FastVitConfig::kHeadDim}, mixed);
  linear(context, mixed, attention.proj, x.pixels, {.residual = x.pixels});
}

void FastVitTower::feed_forward(const Context& context, Workspace& workspace, const Mlp& mlp,
                                const Images& x) const {
  const Workspace::Frame frame(workspace);
  const Images y{workspace.take(x.pixels.rows, x.channels()), x.count, x.height, x.width};
  const Matrix wide = workspace.take(x.pixels.rows, mlp.fc1.out());
  depthwise_conv(context, workspace, x, mlp.depthwise, y);
  linear(context, y.pixels, mlp.fc1, wide, {.op = UnaryOp::gelu});
  linear(context, wide, mlp.fc2, x.pixels, {.residual = x.pixels});
}

Images FastVitTower::run(const Context& context, Workspace& workspace, const Stage& stage,
                         const Images& x, int64_t width) const {
  const int64_t side = stage.halving ? FastVitConfig::half(x.height) : x.height;
  Images now = take_images(workspace, x.count, side, width);
  Images other = take_images(workspace, x.count, side, width);
  if (stage.halving) {
    depthwise_conv(context, workspace, x, *stage.halving, other, 2);
    if (stage.squeeze) squeeze(context, workspace, *stage.squeeze, other);
    gelu(context, other.pixels);
    linear(context, other.pixels, stage.enter, now.pixels, {.op = UnaryOp::gelu});
  } else {
    now = x;
  }
  const auto convolve = [&](const DepthwiseWeights& weights) {
    depthwise_conv(context, workspace, now, weights, other);
    std::swap(now, other);
  };
  if (stage.positions) convolve(*stage.positions);
  for (const Block& block : stage.blocks) {
    if (const auto* conv = std::get_if<DepthwiseWeights>(&block.mixer))
      convolve(*conv);
    else
      attend(context, workspace, std::get<Attention>(block.mixer), now);
    feed_forward(context, workspace, block.mlp, now);
  }
  return now;
}

void FastVitTower::encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                                Matrix out) const {
  Images x = stem(context, workspace, pixels, out.rows);
  for (size_t s = 0; s < stages_.size(); ++s)
    x = run(context, workspace, stages_[s], x, config_.fastvit->stages[s].width);
  const Images wide = take_images(workspace, x.count, x.height, config_.width);
  depthwise_conv(context, workspace, x, final_conv_, wide);
  squeeze(context, workspace, final_squeeze_, wide);
  gelu(context, wide.pixels);
  const Matrix pooled = workspace.take(out.rows, config_.width);
  mean_of_maps(context, wide, pooled);
  linear(context, pooled, head_, out);
}

}  // namespace openclip
