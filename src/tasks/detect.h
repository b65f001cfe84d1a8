// Where in a picture the things are that some labels name. Rank 5.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/image.h"
#include "models/dense.h"
#include "models/factory.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace openclip {

/// A thing that was found.
struct Detection {
  std::string label;
  size_t label_index = 0;       // in the list that was asked for
  double score = 0;             // 0 to 1
  std::array<double, 4> box{};  // x0, y0, x1, y1 in pixels of the picture, 0 at its left upper edge
};

/// How a CLIP, which was trained on whole pictures, is made to find places.
enum class DetectMethod {
  windows,  // classify windows of several sizes, then move the best ones' edges: slower, better
  dense     // classify every place of the image tower's last map
};

struct DetectOptions {
  DetectMethod method = DetectMethod::windows;
  DenseReading reading = DenseReading::automatic;
  std::optional<double> threshold;  // least score; none = the detector's own
  double smallest = 0.25;  // side of the smallest window, as a part of the picture's shorter side
  std::optional<double> overlap;  // intersection over union from which of two boxes of a label the
                                  // worse one is left out; 1 = none; none = the detector's own
  size_t most = 100;              // detections of one picture
  std::function<void()>
      between_passes{};  // called between passes through the tower; what it throws
                         // ends the work. Of detectors that need several passes.
};

/// A model that finds things. Immutable, usable by many threads at once.
class Detector {
 public:
  virtual ~Detector() = default;

  /// What of `labels` is in `image`, best first. Options that a kind of detector does not have
  /// (method and windows, of one that was trained on boxes) say nothing to it.
  /// Throws: InvalidArgument for no labels and for options out of range.
  virtual std::vector<Detection> detect(const Context& context, const Image& image,
                                        const std::vector<std::string>& labels,
                                        const DetectOptions& options = {}) const = 0;

  /// More of what `example` shows, as detections of the label `name`.
  /// Throws: Unsupported by models without box heads.
  virtual std::vector<Detection> detect_like(const Context& context, const Image& image,
                                             const Image& example, const std::string& name,
                                             const DetectOptions& options = {}) const = 0;
};

/// A detector from a model that is loaded already (both towers). OWL-ViT and OWLv2 predict boxes
/// themselves: of each patch the best label where its probability is above the threshold (0.1).
/// Any other CLIP searches, as DetectOptions says. Things that no label names are
/// told from those that one does by distractors: the model's own list of labels where it has one
/// (source.folder; its vectors are kept as label_vectors.h says), else a list of general words.
/// Throws: errors of reading the list.
std::unique_ptr<const Detector> make_detector(const Context& context, const ModelSource& source,
                                              std::shared_ptr<const Model> model,
                                              std::shared_ptr<const Tokenizer> tokenizer);

}  // namespace openclip
