// A matrix product to test with. Part of rank 1.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/matmul.h"
#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {

/// Panels of a matrix of n columns.
inline size_t panels_of(size_t n) { return (n + panel_width() - 1) / panel_width(); }

/// A random product of one size and its packed right side.
class Problem {
 public:
  explicit Problem(MatmulSize size)
      : size_(size),
        random_(size.m * 31 + size.k * 7 + size.n),
        packed_(packed_bytes(PanelType::f32, size.k, size.n) / sizeof(float)),
        bias_(size.n + panel_width()) {
    a = random_.vector(size.m * size.k);
    w = random_.vector(size.n * size.k);
    residual = random_.vector(size.m * size.n);
    pack_panels(PanelType::f32, {w.data(), true, size.k, size.n}, 0, panels_of(size.n),
                packed_.data());
    std::fill(bias_.data(), bias_.data() + size.n + panel_width(), 0.0f);
    for (size_t i = 0; i < size.n; ++i) bias_.data()[i] = random_.next();
  }

  PackedMatrix packed(bool bias = true) {
    return {packed_.data(), bias ? bias_.data() : nullptr, size_.k, size_.n};
  }

  std::vector<float> want(UnaryOp op, bool bias, bool add_residual) {
    std::vector<float> out(size_.m * size_.n);
    ref::matmul({a.data(), w.data(), bias ? bias_.data() : nullptr,
                 add_residual ? residual.data() : nullptr, size_.m, size_.n, size_.k, op},
                out.data());
    return out;
  }

  double tolerance() const { return sum_tolerance(size_.k); }

  std::vector<float> a, w, residual;

 private:
  MatmulSize size_;
  Random random_;
  Aligned packed_, bias_;
};

}  // namespace openclip::kernels
