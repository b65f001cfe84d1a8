// The four ways to resize; resize() validates and chooses. Internal to src/image.
#pragma once

#include "image/resize.h"

namespace openclip {

/// A validated request.
struct ResizeTask {
  const Image& image;
  int width, height;  // whole output
  Box box;
  Window window;
  Interpolation interpolation;
};

/// Each output pixel is the input pixel below its centre.
Image resize_nearest(const ResizeTask& task);

/// The two antialiased passes, for every mode but "1" and "P".
Image resize_filtered(const ResizeTask& task);

}  // namespace openclip
