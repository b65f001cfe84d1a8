// Features of rectangular parts of one picture. Rank 5.
#pragma once

#include <functional>
#include <vector>

#include "image/preprocess.h"
#include "models/model.h"
#include "tasks/boxes.h"

namespace openclip {

/// Crops, preprocesses and encodes. Holds the picture as RGB; for one thread at a time.
class WindowReader {
 public:
  /// config: as preprocess_config(); where it crops (`shortest`), windows are squashed instead, so
  /// that all of them is seen. between_passes: as in DetectOptions.
  WindowReader(const Context& context, const Model& model, const PreprocessConfig& config,
               const Image& image, std::function<void()> between_passes = {});

  /// Not normalised features [windows, embed_dim]. Corners are rounded to whole pixels inside of
  /// the picture; a window keeps one pixel at least.
  std::vector<float> features(const std::vector<BoxCorners>& windows) const;

  const Image& image() const { return image_; }

 private:
  Context context_;
  const Model& model_;
  PreprocessConfig config_;
  Image image_;
  std::function<void()> between_passes_;
};

/// Square windows over a picture of width x height: for each of the sizes (sides as parts of the
/// shorter side of the picture, 1 first, each 2^-0.5 of the one before, down to `smallest`), one
/// every quarter of a side at most, spread evenly from edge to edge; where the picture is longer
/// than wide, the whole picture too. In pictures that are more than 8 times as long as wide they
/// lie further apart, no more of them.
std::vector<BoxCorners> window_pyramid(int width, int height, double smallest);

}  // namespace openclip
