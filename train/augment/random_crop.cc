#include "augment/random_crop.h"

#include <cmath>

namespace openclip::train {

Box random_crop(int width, int height, std::array<double, 2> scale, std::array<double, 2> ratio,
                Random& random) {
  const auto box = [](double left, double top, double w, double h) {
    return Box{left, top, left + w, top + h};
  };
  const double area = static_cast<double>(width) * height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * random.uniform(scale[0], scale[1]);
    const double aspect = std::exp(random.uniform(std::log(ratio[0]), std::log(ratio[1])));
    const int w = static_cast<int>(std::nearbyint(std::sqrt(target * aspect)));
    const int h = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const double top = static_cast<double>(random.below(height - h + 1));
    const double left = static_cast<double>(random.below(width - w + 1));
    return box(left, top, w, h);
  }
  const double present = static_cast<double>(width) / height;
  int w = width, h = height;
  if (present < ratio[0])
    h = static_cast<int>(std::nearbyint(w / ratio[0]));
  else if (present > ratio[1])
    w = static_cast<int>(std::nearbyint(h * ratio[1]));
  return box((width - w) / 2, (height - h) / 2, w, h);
}

}  // namespace openclip::train
