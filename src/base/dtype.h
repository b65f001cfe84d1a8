// Element types of tensors and of the files that hold them. Rank 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace openclip {

/// Element type; the names match those of safetensors except for case.
enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

inline constexpr std::array kAllDTypes = {DType::f64, DType::f32,    DType::f16, DType::bf16,
                                          DType::i64, DType::i32,    DType::i16, DType::i8,
                                          DType::u8,  DType::boolean};

/// Bytes of one element.
constexpr size_t dtype_size(DType dtype) {
  constexpr size_t kSizes[] = {8, 4, 2, 2, 8, 4, 2, 1, 1, 1};
  return kSizes[static_cast<size_t>(dtype)];
}

/// Lower-case name for messages and command lines: "f32", "bf16", "bool".
constexpr std::string_view dtype_name(DType dtype) {
  constexpr std::string_view kNames[] = {"f64", "f32", "f16", "bf16", "i64",
                                         "i32", "i16", "i8",  "u8",   "bool"};
  return kNames[static_cast<size_t>(dtype)];
}

/// The inverse of dtype_name; nullopt for anything else.
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DType dtype : kAllDTypes)
    if (dtype_name(dtype) == name) return dtype;
  return std::nullopt;
}

constexpr bool dtype_is_float(DType dtype) { return dtype <= DType::bf16; }

}  // namespace openclip
