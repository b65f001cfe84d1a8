// Features of single places of a picture instead of one of the whole. Part of rank 4.
#pragma once

#include <cstdint>

namespace openclip {

/// How an image tower is read at each place. Towers were trained to answer for the whole picture;
/// the last step, which gathers it, is what these ways replace.
///
/// ViT: with q, k, v of the last block, per head, and no class token among the results
///   clearclip  out_proj(softmax(q q^T s) v), no residual, no MLP. Source: arXiv 2407.12442.
///   naclip     out_proj(softmax(k k^T s + w) v), no residual, no MLP; w = exp(-d^2 / (2 5^2)) of
///              two patches d apart. Source: arXiv 2404.08181.
///   sclip      x + out_proj((softmax(q q^T s) + softmax(k k^T s)) v), then the MLP as ever.
///              Source: arXiv 2312.01597.
///   values     out_proj(v), no residual, no MLP (MaskCLIP). Source: arXiv 2112.01071.
/// followed by the tower's last norm and its projection.
/// ModifiedResNet: values is c_proj(v_proj(x)) of the attention pool; pooled runs the whole pool
/// over every square of the size that it was trained for and gives a place the sum of the
/// directions of all squares that hold it. ConvNeXt: values, the head applied to each pixel.
enum class DenseReading {
  automatic,  // ViT: clearclip; ResNet: pooled; ConvNeXt: values
  clearclip,
  naclip,
  sclip,
  values,
  pooled
};

/// One picture to be read densely: [3, height, width], sides multiples of the tower's stride.
struct DenseInput {
  const float* pixels = nullptr;
  int64_t height = 0, width = 0;
  DenseReading reading = DenseReading::automatic;
};

}  // namespace openclip
