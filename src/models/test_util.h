// Golden tensors for the tests of src/models.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace openclip {

/// The elements of a tensor, which are of type T.
template <class T>
std::vector<T> values(const TensorView& view) {
  std::vector<T> out(view.bytes.size() / sizeof(T));
  std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
  return out;
}

template <class T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name) {
  return values<T>(file.tensor(name));
}

}  // namespace openclip
