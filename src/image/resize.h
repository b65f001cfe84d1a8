// Pillow's Image.resize, equal to the last bit. Rank 3.
#pragma once

#include <optional>

#include "image/image.h"

namespace openclip {

enum class Interpolation { nearest, bilinear, bicubic };

/// Part of the input, in pixels; sides may lie between pixels. As in Pillow, resize() rounds them
/// to single precision.
struct Box {
  double left, top, right, bottom;
};

/// Part of the output, in pixels.
struct Window {
  int left, top, width, height;
};

struct ResizeOptions {
  Interpolation interpolation = Interpolation::bicubic;
  std::optional<Box> box;        // what becomes the output; default: the whole picture
  std::optional<Window> window;  // compute only this part of the output; default: all
};

/// Resizes to width x height as Pillow does and returns the window of it, in the picture's mode:
/// along x, then along y (tall pictures the other way), rounded to the mode's integers after each;
/// only the input that the window needs is read, and memory grows with the window, not with the
/// output.
///   L, RGB, CMYK: 8-bit samples with 22-bit fixed-point weights
///   LA, RGBA:     premultiplied, resized, divided again
///   I;16:         double-precision weights
///   1, P:         nearest, whatever the options say
/// Equal size without a box returns a copy, as Pillow (no premultiplication round trip).
/// Throws: InvalidArgument if a side is not positive or over 2^27, or box or window lie outside.
/// Source: Pillow 13 Image.resize; box as in its `box` argument.
Image resize(const Image& image, int width, int height, const ResizeOptions& options = {});

/// Longest side that `resize` produces (of which only a window need exist).
inline constexpr int kMaxResizedSide = 1 << 27;

}  // namespace openclip
