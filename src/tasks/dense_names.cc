#include "tasks/dense_names.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {

const std::vector<std::string>& dense_reading_names() {
  static const std::vector<std::string> names = {"auto",  "clearclip", "naclip",
                                                 "sclip", "values",    "pooled"};
  return names;
}

DenseReading dense_reading_of(const std::string& name) {
  static constexpr DenseReading kReadings[] = {DenseReading::automatic, DenseReading::clearclip,
                                               DenseReading::naclip,    DenseReading::sclip,
                                               DenseReading::values,    DenseReading::pooled};
  const std::vector<std::string>& names = dense_reading_names();
  const auto found = std::find(names.begin(), names.end(), name);
  check_arg(found != names.end(), "'{}' is no dense reading; there are {}", name,
            fmt::join(names, ", "));
  return kReadings[found - names.begin()];
}

}  // namespace openclip
