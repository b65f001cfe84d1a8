// Attention in which each sequence asks once. Part of rank 4.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/towers/weights.h"
#include "tensor/segment_attention.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

/// Multi-head attention of one query for each sequence, without its keys and values.
///
/// For head h with key rows K_h and value rows V_h of the weights, the scores of query q are
/// q_h (K_h x_j + b) = (K_h^T q_h) x_j + q_h b, whose last term is the same for all j and leaves
/// the softmax alone; and sum_j p_j (V_h x_j + b) = V_h (sum_j p_j x_j) + b. So the heads' queries
/// K_h^T q_h attend to the tokens x themselves: two products of one row for each sequence in place
/// of two of one row for each token. Exact but for rounding; computed in f32.
class SingleQueryAttention {
 public:
  /// Where the weights lie: rows [first_key, + width) of `keys` and [first_value, + width) of
  /// `values`, [rows, in], and of the values' bias. width: a multiple of heads. precision: int8
  /// rounds the weights to bytes, so that a model has the same features whether it is quantised
  /// before or while it is loaded.
  struct Names {
    std::string keys, values, value_bias;
    int64_t first_key = 0, first_value = 0, width = 0;
    Precision precision = Precision::f32;
  };
  SingleQueryAttention(const Context& context, const Weights& weights, const Names& names,
                       int64_t heads);

  int64_t heads() const { return static_cast<int64_t>(key_queries_.size()); }

  /// Row i * heads + h of `queries` becomes K_h^T q_h of row i of q. q: [count, width]; queries:
  /// [count * heads, in].
  void project(const Context& context, ConstMatrix q, Matrix queries) const;

  /// out[i] = what query i gets from its keys, before a projection that may follow. queries: as
  /// project() makes them; x: [tokens, in]; spans: sequences, or branches of a tree, each with the
  /// one query i; out: [count, width].
  template <class Spans>
  void attend(const Context& context, Workspace& workspace, ConstMatrix queries, ConstMatrix x,
              const Spans& spans, Matrix out) const;

  /// out[i] = V x[i] + b: what a query gets that sees row i alone. x: [rows, in]; out: [rows,
  /// width].
  void values(const Context& context, ConstMatrix x, Matrix out) const;

 private:
  int64_t head_dim_;
  std::vector<Linear> key_queries_;  // of each head: q_h to K_h^T q_h
  std::vector<Linear> values_;       // of each head: V_h and its bias
};

extern template void SingleQueryAttention::attend(const Context&, Workspace&, ConstMatrix,
                                                  ConstMatrix,
                                                  const std::span<const AttentionSpan>&,
                                                  Matrix) const;
extern template void SingleQueryAttention::attend(const Context&, Workspace&, ConstMatrix,
                                                  ConstMatrix, const SegmentSpans&, Matrix) const;

}  // namespace openclip
