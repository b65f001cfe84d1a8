#include "models/towers/rope.h"

#include <cmath>

#include "tensor/split.h"

namespace openclip {
namespace {

constexpr float kTemperature = 10000;

void turn_row(const float* cosine, const float* sine, int64_t pairs, int64_t heads, float* row) {
  for (int64_t head = 0; head < heads; ++head, row += 2 * pairs)
    for (int64_t i = 0; i < pairs; ++i) {
      const float a = row[2 * i], b = row[2 * i + 1];
      row[2 * i] = a * cosine[i] - b * sine[i];
      row[2 * i + 1] = b * cosine[i] + a * sine[i];
    }
}

}  // namespace

RopeTable::RopeTable(const RopeConfig& config, int64_t grid, int64_t head_dim)
    : cosine(Shape{grid * grid, head_dim / 2}), sine(Shape{grid * grid, head_dim / 2}) {
  const int64_t bands = head_dim / 4, pairs = head_dim / 2;
  const auto position = [&](int64_t index) {
    return (static_cast<float>(index) + config.offset) / static_cast<float>(grid) *
           static_cast<float>(config.reference);
  };
  for (int64_t patch = 0; patch < grid * grid; ++patch) {
    const float row = position(patch / grid), column = position(patch % grid);
    for (int64_t i = 0; i < pairs; ++i) {
      const bool first_half = i < bands;
      const float place = first_half != config.columns_first ? row : column;
      const float exponent = static_cast<float>(i % bands) / static_cast<float>(bands);
      const double angle = place * (1.0f / std::pow(kTemperature, exponent));
      cosine.data()[patch * pairs + i] = static_cast<float>(std::cos(angle));
      sine.data()[patch * pairs + i] = static_cast<float>(std::sin(angle));
    }
  }
}

void RopeTable::apply(const Context& context, int64_t tokens, int64_t prefix, Matrix x) const {
  const int64_t pairs = cosine.shape()[1], heads = x.cols / (2 * pairs);
  for_rows(context, x.rows, x.cols, [&](int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      const int64_t patch = row % tokens - prefix;
      if (patch < 0) continue;
      turn_row(cosine.data() + patch * pairs, sine.data() + patch * pairs, pairs, heads,
               x.row(row));
    }
  });
}

}  // namespace openclip
