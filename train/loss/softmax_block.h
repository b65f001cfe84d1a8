// The softmax losses' common part: rows of a similarity matrix against all its columns, a block of
// rows at a time.
#pragma once

#include <ATen/ATen.h>

namespace openclip::train {

/// One side of a similarity matrix.
struct Side {
  at::Tensor features;  // f32 [n, width]
  at::Tensor lse;  // f32 [n]: log-sum-exp of the element's own softmax; undefined = it has none
  at::Tensor
      partner;       // i64 [n]: its right answer on the other side, or -1; unless labels are there
  at::Tensor id;     // i64 [n]: number of its pair, or -1; only with labels
  at::Tensor label;  // i64 [n], or undefined
  at::Tensor share;  // f32 [n]: 1 / number of right answers; only with labels
  at::Tensor self;   // i64 [n]: the one on the other side that is itself and does not count, or
                     // undefined
  // Distillation: the teacher's features and their log-sum-exp; undefined = none.
  at::Tensor teacher, teacher_lse;

  /// Elements [first, first + count).
  Side slice(int64_t first, int64_t count) const;
};

struct SoftmaxScales {
  double student = 1;  // the temperature after exp
  double teacher = 1;
  double distill_weight = 0;  // 0 = no teacher
};

/// log sum_j exp(scale * rows_i . columns_j) over all columns but `self`, f32 [rows].
at::Tensor log_sum_exp(const at::Tensor& rows, const at::Tensor& columns, double scale,
                       const at::Tensor& self = {});

/// The cross entropy of row i is lse_i - sum_j T_ij l_ij; these are the second terms, summed over
/// the rows, and the gradients.
struct SoftmaxRows {
  double chosen = 0;          // sum_ij T_ij l_ij of the rows' own softmaxes
  double teacher_chosen = 0;  // sum_ij Q_ij l_ij, Q the teacher's softmax
  at::Tensor gradient;        // [rows, width] of both sides' softmax losses, distillation included
};

/// Gradient of row i: scale * sum_j (P_ij - T_ij + P'_ji - T'_ji) columns_j, where P is the rows'
/// softmax over the columns and P' the columns' over the rows; a side without lse has no softmax.
SoftmaxRows softmax_rows(const Side& rows, const Side& columns, const SoftmaxScales& scales);

}  // namespace openclip::train
