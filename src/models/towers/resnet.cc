#include "models/towers/resnet.h"

#include <algorithm>

#include "models/towers/chunk.h"
#include "models/towers/folded_conv.h"

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
Linear load_conv_bn(const Context& context, const Weights& weights, const std::string& conv,
                    const std::string& batch_norm, Precision precision) {
  return FoldedConv(context, weights, conv).add(conv, batch_norm).linear(precision);
}

}  // namespace

ResNetTower::ResNetTower(const Context& context, const Weights& weights, const VisionConfig& config)
    : ImageTower(config.image_size, pictures_per_chunk(config.image_size)),
      config_(config),
      stem1_(load_conv_bn(context, weights, "visual.conv1", "visual.bn1", Precision::f32)),
      stem2_(load_conv_bn(context, weights, "visual.conv2", "visual.bn2",
                          sensitive(weights.precision()))),
      stem3_(load_conv_bn(context, weights, "visual.conv3", "visual.bn3",
                          sensitive(weights.precision()))),
      pool_(context, weights, "visual.attnpool", config.heads) {
  for (int stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < config.stages[static_cast<size_t>(stage)]; ++i) {
      const std::string name = fmt::format("visual.layer{}.{}", stage + 1, i);
      const Precision precision = stage == 3 ? sensitive(weights.precision()) : weights.precision();
      const auto load = [&](const char* conv, const char* norm) {
        return load_conv_bn(context, weights, name + conv, name + norm, precision);
      };
      Bottleneck block{load(".conv1", ".bn1"), load(".conv2", ".bn2"), load(".conv3", ".bn3"),
                       std::nullopt, stage > 0 && i == 0 ? 2 : 1};
      if (i == 0)
        block.downsample = load_conv_bn(context, weights, name + ".downsample.0",
                                        name + ".downsample.1", sensitive(weights.precision()));
      blocks_.push_back(std::move(block));
    }
  }
}

Images ResNetTower::stem(const Context& context, Workspace& workspace, const Pixels& pixels) const {
  const int64_t count = pixels.count;
  const int64_t height = conv_out_size(pixels.height, kStemConv);
  const int64_t width = conv_out_size(pixels.width, kStemConv);
  const Images pooled = take_images(workspace, count, height / 2, width / 2, stem3_.out());
  const Workspace::Frame frame(workspace);
  const Images input = take_images(workspace, count, pixels.height, pixels.width, 3);
  const Images x1 = take_images(workspace, count, height, width, stem1_.out());
  const Images x2 = take_images(workspace, count, height, width, stem2_.out());
  const Images x3 = take_images(workspace, count, height, width, stem3_.out());
  channels_last(context, pixels.data, input);
  conv2d(context, input, stem1_, kStemConv, x1);
  conv2d(context, x1, stem2_, kConv3x3, x2);
  conv2d(context, x2, stem3_, kConv3x3, x3);
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
  const Images x2 = take_images(workspace, x.count, x.height, x.width, block.conv2.out());
  conv2d(context, x, block.conv1, kConv1x1, x1);
  conv2d(context, x1, block.conv2, kConv3x3, x2);
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
