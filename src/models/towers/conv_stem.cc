#include "models/towers/conv_stem.h"

#include "kernels/images.h"
#include "models/towers/folded_conv.h"

namespace openclip {
namespace {

const std::string kStemName = "visual.trunk.patch_embed.backbone.";
constexpr ConvOptions kSecond{.kernel = 2, .stride = 2, .op = UnaryOp::gelu};
constexpr ConvOptions kThird{.kernel = 2, .stride = 2};

// Reads torch's order (channel, y, x), which PatchRows has too.
Linear load_first(const Context& context, const Weights& weights) {
  const FoldedConv::Norm norm = FoldedConv::batch_norm(context, weights, kStemName + "0.bn");
  const ChannelAffine affine{{norm.scale.begin(), norm.scale.end()},
                             {norm.shift.begin(), norm.shift.end()}};
  return weights.linear(context,
                        {.weight = kStemName + "0.conv.weight", .bias = "", .affine = &affine});
}

}  // namespace

ConvStem::ConvStem(const Context& context, const Weights& weights)
    : first_(load_first(context, weights)),
      second_(FoldedConv(context, weights, kStemName + "1.conv")
                  .add(kStemName + "1.conv", kStemName + "1.bn")
                  .linear()),
      third_(
          FoldedConv(context, weights, kStemName + "2.conv").add(kStemName + "2.conv").linear()) {}

void ConvStem::run(const Context& context, Workspace& workspace, const float* pixels, int64_t size,
                   int64_t count, Matrix patches) const {
  const Workspace::Frame frame(workspace);
  const int64_t quarter = size / 4, eighth = quarter / 2, side = eighth / 2;
  const Images first{workspace.take(count * quarter * quarter, first_.out()), count, quarter,
                     quarter};
  const Images second{workspace.take(count * eighth * eighth, second_.out()), count, eighth,
                      eighth};
  const kernels::PatchRows rows(pixels, 3, static_cast<size_t>(size), 4);
  linear(context, rows, first_, first.pixels, {.op = UnaryOp::gelu});
  conv2d(context, first, second_, kSecond, second);
  conv2d(context, second, third_, kThird, {patches, count, side, side});
}

}  // namespace openclip
