// The pictures of a batch side by side, to see what augmentation does.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "models/config/model_config.h"

namespace openclip::train {

/// Writes pixels [count, 3, size, size] as one PPM picture of 16 columns, normalisation undone.
void write_contact_sheet(const std::string& path, const at::Tensor& pixels,
                         const PreprocessSettings& preprocess);

}  // namespace openclip::train
