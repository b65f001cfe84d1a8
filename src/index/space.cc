#include "index/space.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace openclip {

void check_space(const std::string& name, const IndexSpace& has, const IndexSpace& wanted) {
  check_arg(has.dim == wanted.dim, "{}: holds vectors of {} numbers, not of {}; use another --out",
            name, has.dim, wanted.dim);
  check_arg(has.model_key == wanted.model_key,
            "{}: was made with the model {}, not with {}; use that model or another --out", name,
            has.model.empty() ? "(unknown)" : has.model,
            wanted.model.empty() ? "(unknown)" : wanted.model);
}

std::vector<float> unit_vector(std::span<const float> vector, int64_t dim) {
  check_arg(vector.size() == static_cast<size_t>(dim),
            "[index] a vector of {} numbers for an index of {}", vector.size(), dim);
  double sum = 0;
  for (const float value : vector) sum += double{value} * value;
  check_arg(std::isfinite(sum), "[index] a vector holds numbers that are not finite");
  const double length = std::max(std::sqrt(sum), 1e-12);
  std::vector<float> unit(vector.size());
  for (size_t i = 0; i < vector.size(); ++i) unit[i] = static_cast<float>(vector[i] / length);
  return unit;
}

}  // namespace openclip
