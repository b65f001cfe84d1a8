#include "models/config/transformers_section.h"

#include <cmath>

namespace openclip::transformers_files {

Activation activation_of(const Section& section, const char* fallback) {
  const std::string name = section.text("hidden_act", fallback);
  if (name == "quick_gelu") return Activation::quick_gelu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
  section.fail("hidden_act", fmt::format("is '{}'; this engine has quick_gelu, gelu and "
                                         "gelu_pytorch_tanh",
                                         name));
}

double mlp_ratio(int width, int mlp_width) {
  double ratio = static_cast<double>(mlp_width) / width;
  while (static_cast<int>(width * ratio) < mlp_width) ratio = std::nextafter(ratio, 1e9);
  return ratio;
}

}  // namespace openclip::transformers_files
