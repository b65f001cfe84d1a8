#include <algorithm>
#include <cmath>

#include "tasks/boxes.h"
#include "tasks/dense_map.h"
#include "tasks/detect_search.h"
#include "tasks/heat_map.h"

namespace openclip {
namespace {

// Parts of a map that hang together are taken where the probability is at least this part of the
// best there.
constexpr double kLevel = 0.5;
constexpr int kFinePlaces = 64;  // along the shorter side of the map on which boxes are measured

// Takes the places that hang together with the best one, at kLevel of it, out of the map.
ScoredBox take_part(HeatMap& map, int seed) {
  const float best = map.values[static_cast<size_t>(seed)],
              level = static_cast<float>(best * kLevel);
  int left = map.cols, top = map.rows, right = 0, bottom = 0;
  std::vector<int> open{seed};
  map.values[static_cast<size_t>(seed)] = -1;
  while (!open.empty()) {
    const int y = open.back() / map.cols, x = open.back() % map.cols;
    open.pop_back();
    left = std::min(left, x), right = std::max(right, x + 1);
    top = std::min(top, y), bottom = std::max(bottom, y + 1);
    const int neighbours[4][2] = {{y - 1, x}, {y + 1, x}, {y, x - 1}, {y, x + 1}};
    for (const auto& [ny, nx] : neighbours) {
      if (ny < 0 || nx < 0 || ny >= map.rows || nx >= map.cols || map.at(ny, nx) < level) continue;
      map.at(ny, nx) = -1;
      open.push_back(ny * map.cols + nx);
    }
  }
  return {{static_cast<double>(left), static_cast<double>(top), static_cast<double>(right),
           static_cast<double>(bottom)},
          best};
}

std::vector<ScoredBox> boxes_of(HeatMap map, const DetectTask& task, const Image& image) {
  const double least = probability_of(task.least_margin);
  const double scale_x = static_cast<double>(image.width) / map.cols;
  const double scale_y = static_cast<double>(image.height) / map.rows;
  std::vector<ScoredBox> out;
  while (out.size() < task.options.most) {
    const int best = map.hottest();
    const float value = map.values[static_cast<size_t>(best)];
    if (value < least || value <= 0) break;
    ScoredBox box = take_part(map, best);
    for (size_t i = 0; i < 4; ++i) box.box[i] *= i % 2 == 0 ? scale_x : scale_y;
    box.score = std::log(std::max(box.score, 1e-300) / std::max(1 - box.score, 1e-16));
    out.push_back(box);
  }
  return merge_boxes(std::move(out), kMergeParts);
}

}  // namespace

std::vector<std::vector<ScoredBox>> search_dense(const DetectTask& task, const Image& image) {
  const size_t labels = task.judge.labels();
  std::vector<HeatMap> sums(labels, map_for(image.width, image.height, kFinePlaces));
  for (const double size : kDenseSizes) {
    if (task.options.between_passes) task.options.between_passes();
    const int side = static_cast<int>(std::lround(size * task.preprocess.height));
    const DenseMap map =
        dense_map(task.context, task.model, task.preprocess, image, side, task.options.reading);
    const std::vector<double> margins = task.judge.margins(
        task.context, {map.features.data(), map.rows * map.cols, task.model.config().embed_dim});
    for (size_t label = 0; label < labels; ++label) {
      HeatMap probabilities(map.rows, map.cols);
      for (size_t i = 0; i < probabilities.values.size(); ++i)
        probabilities.values[i] = static_cast<float>(probability_of(margins[i * labels + label]) /
                                                     std::size(kDenseSizes));
      add_interpolated(sums[label], probabilities);
    }
  }
  std::vector<std::vector<ScoredBox>> found;
  for (HeatMap& map : sums) found.push_back(boxes_of(std::move(map), task, image));
  return found;
}

}  // namespace openclip
