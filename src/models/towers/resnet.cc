#include "models/towers/resnet.h"

#include <algorithm>

#include "models/towers/chunk.h"

namespace openclip {
namespace {

// The stem, shortcuts and the last stage are three tenths of the work of an RN50, and make most of
// the square error that bytes make in its features (docs/precision.md).
Precision sensitive(Precision precision) {
  return precision == Precision::int8 ? Precision::f32 : precision;
}

constexpr ConvOptions kConv1x1{.op = UnaryOp::relu};
constexpr ConvOptions kConv3x3{.kernel = 3, .padding = 1, .op = UnaryOp::relu};
constexpr ConvOptions kStemConv{.kernel = 3, .stride = 2, .padding = 1, .op = UnaryOp::relu};

Images take_images(Workspace& workspace, int64_t count, int64_t height, int64_t width,
                   int64_t channels) {
  return {workspace.take(count * height * width, channels), count, height, width};
}

// A convolution without bias and the BatchNorm after it.
FoldedConv conv_bn(const Context& context, const Weights& weights, const std::string& conv,
                   const std::string& batch_norm) {
  FoldedConv folded(context, weights, conv);
  folded.add(conv, batch_norm);
  return folded;
}

}  // namespace

ResNetTower::Conv3x3 ResNetTower::load_conv3x3(const FoldedConv& conv, Precision precision) {
  if (precision == Precision::f32) return conv.winograd();
  return conv.linear(precision);
}

void ResNetTower::conv3x3(const Context& context, Workspace& workspace, const Images& x,
                          const Conv3x3& weights, const Images& out) {
  if (const auto* fast = std::get_if<WinogradWeights>(&weights))
    return winograd_conv(context, workspace, x, *fast, UnaryOp::relu, out);
  conv2d(context, x, std::get<Linear>(weights), kConv3x3, out);
}

ResNetTower::ResNetTower(const Context& context, const Weights& weights, const VisionConfig& config)
    : ImageTower(config.image_size, pictures_per_chunk(config.image_size)),
      config_(config),
      stem1_(conv_bn(context, weights, "visual.conv1", "visual.bn1").linear()),
      stem2_(load_conv3x3(conv_bn(context, weights, "visual.conv2", "visual.bn2"),
                          sensitive(weights.precision()))),
      stem3_(load_conv3x3(conv_bn(context, weights, "visual.conv3", "visual.bn3"),
                          sensitive(weights.precision()))),
      pool_(context, weights, "visual.attnpool", config.heads) {
  for (int stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < config.stages[static_cast<size_t>(stage)]; ++i) {
      const std::string name = fmt::format("visual.layer{}.{}", stage + 1, i);
      const Precision precision = stage == 3 ? sensitive(weights.precision()) : weights.precision();
      const auto load = [&](const char* conv, const char* norm) {
        return conv_bn(context, weights, name + conv, name + norm);
      };
      Bottleneck block{
          load(".conv1", ".bn1").linear(precision), load_conv3x3(load(".conv2", ".bn2"), precision),
          load(".conv3", ".bn3").linear(precision), std::nullopt, stage > 0 && i == 0 ? 2 : 1};
      if (i == 0)
        block.downsample =
            load(".downsample.0", ".downsample.1").linear(sensitive(weights.precision()));
      blocks_.push_back(std::move(block));
    }
  }
}

Images ResNetTower::stem(const Context& context, Workspace& workspace, const Pixels& pixels) const {
  const int64_t count = pixels.count;
  const int64_t height = conv_out_size(pixels.height, kStemConv);
  const int64_t width = conv_out_size(pixels.width, kStemConv);
  const auto outputs = [](const Conv3x3& conv) {
    return std::visit([](const auto& weights) { return weights.out(); }, conv);
  };
  const Images pooled = take_images(workspace, count, height / 2, width / 2, outputs(stem3_));
  const Workspace::Frame frame(workspace);
  const Images input = take_images(workspace, count, pixels.height, pixels.width, 3);
  const Images x1 = take_images(workspace, count, height, width, stem1_.out());
  const Images x2 = take_images(workspace, count, height, width, outputs(stem2_));
  const Images x3 = take_images(workspace, count, height, width, outputs(stem3_));
  channels_last(context, pixels.data, input);
  conv2d(context, input, stem1_, kStemConv, x1);
  conv3x3(context, workspace, x1, stem2_, x2);
  conv3x3(context, workspace, x2, stem3_, x3);
  average_pool(context, x3, 2, pooled);
  return pooled;
}

void ResNetTower::run(const Context& context, Workspace& workspace, const Bottleneck& block,
                      const Images& x, const Images& out) const {
  const Workspace::Frame frame(workspace);
  const auto pool = [&](const Images& from) {
    if (block.stride == 1) return from;
    const Images to = take_images(workspace, from.count, out.height, out.width, from.channels());
    average_pool(context, from, block.stride, to);
    return to;
  };
  Images identity = x;
  if (block.downsample) {
    // downsample: avgpool(stride), conv 1x1, bn
    identity = take_images(workspace, x.count, out.height, out.width, block.downsample->out());
    const Images pooled = pool(x);
    conv2d(context, pooled, *block.downsample, {}, identity);
  }
  // relu(bn1(conv1)), relu(bn2(conv2)), avgpool(stride), bn3(conv3) + identity, relu
  const Images x1 = take_images(workspace, x.count, x.height, x.width, block.conv1.out());
  const Images x2 = take_images(workspace, x.count, x.height, x.width, block.conv3.in());
  conv2d(context, x, block.conv1, kConv1x1, x1);
  conv3x3(context, workspace, x1, block.conv2, x2);
  conv2d(context, pool(x2), block.conv3, {.op = UnaryOp::relu, .residual = identity.pixels}, out);
}

Images ResNetTower::trunk(const Context& context, Workspace& workspace,
                          const Pixels& pixels) const {
  Images x = stem(context, workspace, pixels);
  // Blocks write to two places in turn; stage 1's output is the largest.
  const int64_t most = x.pixels.rows * blocks_.front().conv3.out();
  float* places[2] = {workspace.take_floats(most), workspace.take_floats(most)};
  int turn = 0;
  for (const Bottleneck& block : blocks_) {
    const int64_t height = x.height / block.stride, width = x.width / block.stride;
    const Images next{
        {places[turn], x.count * height * width, block.conv3.out()}, x.count, height, width};
    run(context, workspace, block, x, next);
    x = next;
    turn = 1 - turn;
  }
  return x;
}

void ResNetTower::encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                               Matrix out) const {
  const int64_t size = config_.image_size;
  const Images x = trunk(context, workspace, {pixels, out.rows, size, size});
  pool_.run(context, workspace, x.pixels, out);
}

void ResNetTower::encode_places(const Context& context, Workspace& workspace,
                                const DenseInput& input, Matrix out) const {
  const Images x = trunk(context, workspace, {input.pixels, 1, input.height, input.width});
  switch (input.reading) {
    case DenseReading::values:
      return pool_.run_values(context, workspace, x.pixels, out);
    case DenseReading::automatic:
    case DenseReading::pooled:
      return pool_.run_neighbourhoods(context, workspace, x, out);
    default:
      throw Unsupported(
          "a ResNet is read densely as 'values' or 'pooled'; its last step is no "
          "transformer's block");
  }
}

}  // namespace openclip
