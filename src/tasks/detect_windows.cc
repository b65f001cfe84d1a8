#include <algorithm>

#include "tasks/boxes.h"
#include "tasks/detect_search.h"

namespace openclip {
namespace {

// Candidates whose edges are moved, of one label and of all, and by which parts of their sides.
constexpr size_t kCandidates = 12, kAllCandidates = 32;
constexpr double kMoves[] = {0.15, 0.08, 0.04};
// A candidate may be this far below the least margin before its edges are moved.
constexpr double kSlack = 2;

struct Candidate {
  size_t label = 0;
  ScoredBox box{};
};

// The box with one edge, or two opposite ones, moved; all inside of the picture.
std::vector<BoxCorners> moved(const BoxCorners& box, double part, const Image& image) {
  const double dx = (box[2] - box[0]) * part, dy = (box[3] - box[1]) * part;
  const BoxCorners moves[] = {
      {-dx, 0, 0, 0},   {dx, 0, 0, 0},  {0, -dy, 0, 0},     {0, dy, 0, 0},     {0, 0, -dx, 0},
      {0, 0, dx, 0},    {0, 0, 0, -dy}, {0, 0, 0, dy},      {-dx, 0, -dx, 0},  {dx, 0, dx, 0},
      {0, -dy, 0, -dy}, {0, dy, 0, dy}, {-dx, -dy, dx, dy}, {dx, dy, -dx, -dy}};
  std::vector<BoxCorners> out;
  for (const BoxCorners& move : moves) {
    BoxCorners next;
    for (size_t i = 0; i < 4; ++i)
      next[i] = std::clamp(box[i] + move[i], 0.0,
                           static_cast<double>(i % 2 == 0 ? image.width : image.height));
    if (next != box && next[2] - next[0] >= 4 && next[3] - next[1] >= 4) out.push_back(next);
  }
  return out;
}

class WindowSearch {
 public:
  WindowSearch(const DetectTask& task, const Image& image)
      : task_(task),
        reader_(task.context, task.model, task.preprocess, image, task.options.between_passes) {}

  std::vector<std::vector<ScoredBox>> run() {
    std::vector<Candidate> candidates = coarse();
    for (const double part : kMoves) improve(candidates, part);
    std::vector<std::vector<ScoredBox>> found(task_.judge.labels());
    for (const Candidate& candidate : candidates)
      if (candidate.box.score >= task_.least_margin)
        found[candidate.label].push_back(candidate.box);
    for (auto& boxes : found) boxes = merge_boxes(std::move(boxes), kMergeParts);
    return found;
  }

 private:
  std::vector<double> judge(const std::vector<BoxCorners>& windows) const {
    const std::vector<float> features = reader_.features(windows);
    const auto rows = static_cast<int64_t>(windows.size());
    return task_.judge.margins(task_.context,
                               {features.data(), rows, task_.model.config().embed_dim});
  }

  // The best windows of each label, one for each place.
  std::vector<Candidate> coarse() const {
    const Image& image = reader_.image();
    const std::vector<BoxCorners> windows =
        window_pyramid(image.width, image.height, task_.options.smallest);
    const std::vector<double> margins = judge(windows);
    const size_t labels = task_.judge.labels();
    std::vector<Candidate> out;
    for (size_t label = 0; label < labels; ++label) {
      std::vector<ScoredBox> boxes;
      for (size_t i = 0; i < windows.size(); ++i)
        if (const double margin = margins[i * labels + label];
            margin >= task_.least_margin - kSlack)
          boxes.push_back({windows[i], margin});
      boxes = merge_boxes(std::move(boxes), kMergeParts);
      boxes.resize(std::min(boxes.size(), kCandidates));
      for (const ScoredBox& box : boxes) out.push_back({label, box});
    }
    std::stable_sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
      return a.box.score > b.box.score;
    });
    out.resize(std::min(out.size(), kAllCandidates));
    return out;
  }

  // One step of each candidate to the best of its neighbours, all candidates in one batch.
  void improve(std::vector<Candidate>& candidates, double part) const {
    std::vector<BoxCorners> windows;
    std::vector<size_t> owners;
    for (size_t i = 0; i < candidates.size(); ++i)
      for (const BoxCorners& box : moved(candidates[i].box.box, part, reader_.image())) {
        windows.push_back(box);
        owners.push_back(i);
      }
    if (windows.empty()) return;
    const std::vector<double> margins = judge(windows);
    for (size_t i = 0; i < windows.size(); ++i) {
      Candidate& owner = candidates[owners[i]];
      const double margin = margins[i * task_.judge.labels() + owner.label];
      if (margin > owner.box.score) owner.box = {windows[i], margin};
    }
  }

  const DetectTask& task_;
  WindowReader reader_;
};

}  // namespace

std::vector<std::vector<ScoredBox>> search_windows(const DetectTask& task, const Image& image) {
  return WindowSearch(task, image).run();
}

}  // namespace openclip
