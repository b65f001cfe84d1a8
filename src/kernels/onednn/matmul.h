// The matrix product through oneDNN, beside our own (kernels/matmul.h). Rank 1.
//
// docs/kernels.md has the measurements by which the engine chooses between the two.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/matmul.h"

namespace openclip::kernels::onednn {

/// out = op(A W^T + bias + residual) with W [n, k] reordered once into the layout that oneDNN likes
/// for about `typical_m` rows. Immutable; the scratch of a call is oneDNN's own.
class Matmul {
 public:
  /// weight [n, k]; bias [n] or null. Both are copied.
  /// Throws: Internal with oneDNN's text.
  Matmul(const float* weight, const float* bias, size_t k, size_t n, size_t typical_m);
  ~Matmul();
  Matmul(Matmul&&) noexcept;

  /// a [m, k] with row stride a_stride. A residual must be to.out itself.
  /// Throws: Internal with oneDNN's text; InvalidArgument for another residual.
  void run(int threads, size_t m, const float* a, size_t a_stride, const MatmulOutput& to) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace openclip::kernels::onednn
