// What the matrix products of a model are computed in. Rank 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace openclip {

/// f32:  f32 products; weights that a checkpoint has in 16 bits stay so in memory, which changes no
///       result.
/// bf16: weights rounded to bfloat16; so are activations on processors that multiply it
///       (AVX512-BF16); sums in f32.
/// int8: weights and activations of the large layers in bytes, the rest in f32.
enum class Precision : uint8_t { f32, bf16, int8 };

inline constexpr std::array kAllPrecisions = {Precision::f32, Precision::bf16, Precision::int8};

constexpr std::string_view precision_name(Precision precision) {
  constexpr std::string_view kNames[] = {"f32", "bf16", "int8"};
  return kNames[static_cast<size_t>(precision)];
}

/// The inverse of precision_name; nullopt for anything else.
constexpr std::optional<Precision> precision_from_name(std::string_view name) {
  for (const Precision precision : kAllPrecisions)
    if (precision_name(precision) == name) return precision;
  return std::nullopt;
}

}  // namespace openclip
