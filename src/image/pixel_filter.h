// One row of RGB, RGBA or CMYK pixels filtered by the kernel. Internal to src/image.
#pragma once

#include <cstdint>
#include <vector>

#include "image/resize_filter.h"

namespace openclip {

/// A WeightTable laid out for kernels::filter_pixels, and the row with the room behind it that the
/// kernel reads.
class RowPixelFilter {
 public:
  /// first_column: of the input, what `in` of run() begins with.
  void prepare(const WeightTable<int32_t>& table, int first_column, int channels);

  bool ready() const { return steps_ > 0; }

  /// in: `columns` pixels; out: a pixel for each row of the table.
  void run(const uint8_t* in, int columns, uint8_t* out);

 private:
  size_t channels_ = 0, steps_ = 0;
  size_t room_ = 0;  // bytes after a row that the kernel reads
  std::vector<uint32_t> first_;
  std::vector<int32_t> weights_;
  std::vector<uint8_t> row_;
};

}  // namespace openclip
