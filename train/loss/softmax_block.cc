#include "loss/softmax_block.h"

#include "loss/loss_gradient.h"

namespace openclip::train {
namespace {

at::Tensor part(const at::Tensor& tensor, int64_t first, int64_t count) {
  return tensor.defined() ? tensor.slice(0, first, first + count) : tensor;
}

// Calls visit(first, count) for blocks of rows.
template <class Visit>
void for_blocks(int64_t rows, int64_t columns, const Visit& visit) {
  const int64_t step = block_rows(columns);
  for (int64_t first = 0; first < rows; first += step) visit(first, std::min(step, rows - first));
}

at::Tensor logits(const at::Tensor& rows, const at::Tensor& columns, double scale) {
  return at::matmul(rows, columns.t()).mul_(scale);
}

void exclude(at::Tensor& logits, const at::Tensor& self) {
  if (self.defined()) logits.scatter_(1, self.unsqueeze(1), -INFINITY);
}

// The softmaxes of rows and of columns over the block, added up; undefined if there are none.
at::Tensor probabilities(const at::Tensor& logits, const at::Tensor& row_lse,
                         const at::Tensor& column_lse) {
  at::Tensor sum;
  if (row_lse.defined()) sum = (logits - row_lse.unsqueeze(1)).exp_();
  if (column_lse.defined()) {
    const at::Tensor other = (logits - column_lse.unsqueeze(0)).exp_();
    sum = sum.defined() ? sum.add_(other) : other;
  }
  return sum;
}

// Takes each row's right answers from `gradient`, and returns the sum of T_ij l_ij.
double take_partners(const Side& rows, const Side& columns, const at::Tensor& logits,
                     at::Tensor& gradient) {
  // Of every pair both softmaxes have each other as the only right answer.
  const double both = (rows.lse.defined() ? 1 : 0) + (columns.lse.defined() ? 1 : 0);
  const at::Tensor known = rows.partner.ge(0).unsqueeze(1);
  const at::Tensor index = rows.partner.clamp_min(0).unsqueeze(1);
  gradient.scatter_add_(1, index, known.to(at::kFloat).mul_(-both));
  if (!rows.lse.defined()) return 0;
  return logits.gather(1, index).mul_(known).sum(at::kDouble).item<double>();
}

double take_labels(const Side& rows, const Side& columns, const at::Tensor& logits,
                   at::Tensor& gradient) {
  const at::Tensor label = rows.label.unsqueeze(1), id = rows.id.unsqueeze(1);
  const at::Tensor right = label.eq(columns.label.unsqueeze(0))
                               .logical_and_(label.ge(0))
                               .logical_or_(id.eq(columns.id.unsqueeze(0)).logical_and_(id.ge(0)))
                               .to(at::kFloat);
  double chosen = 0;
  if (rows.lse.defined()) {
    const at::Tensor target = right * rows.share.unsqueeze(1);
    gradient.sub_(target);
    chosen = (target * logits).sum(at::kDouble).item<double>();
  }
  if (columns.lse.defined()) gradient.sub_(right * columns.share.unsqueeze(0));
  return chosen;
}

SoftmaxRows one_block(const Side& rows, const Side& columns, const SoftmaxScales& scales) {
  SoftmaxRows result;
  at::Tensor l = logits(rows.features, columns.features, scales.student);
  exclude(l, rows.self);
  at::Tensor gradient = probabilities(l, rows.lse, columns.lse);
  const bool distil = rows.teacher.defined();
  if (distil) gradient.mul_(1 + scales.distill_weight);
  result.chosen = rows.label.defined() ? take_labels(rows, columns, l, gradient)
                                       : take_partners(rows, columns, l, gradient);
  if (distil) {
    const at::Tensor t = logits(rows.teacher, columns.teacher, scales.teacher);
    if (rows.lse.defined()) {
      const at::Tensor own = (t - rows.teacher_lse.unsqueeze(1)).exp_();
      result.teacher_chosen = (own * l).sum(at::kDouble).item<double>();
    }
    gradient.sub_(probabilities(t, rows.teacher_lse, columns.teacher_lse), scales.distill_weight);
  }
  result.gradient = at::matmul(gradient, columns.features).mul_(scales.student);
  return result;
}

}  // namespace

Side Side::slice(int64_t first, int64_t count) const {
  Side side = *this;
  for (at::Tensor Side::*member :
       {&Side::features, &Side::lse, &Side::partner, &Side::id, &Side::label, &Side::share,
        &Side::self, &Side::teacher, &Side::teacher_lse})
    side.*member = part(this->*member, first, count);
  return side;
}

at::Tensor log_sum_exp(const at::Tensor& rows, const at::Tensor& columns, double scale,
                       const at::Tensor& self) {
  at::Tensor result = at::empty({rows.size(0)}, rows.options());
  for_blocks(rows.size(0), columns.size(0), [&](int64_t first, int64_t count) {
    at::Tensor l = logits(part(rows, first, count), columns, scale);
    exclude(l, part(self, first, count));
    part(result, first, count).copy_(l.logsumexp(1));
  });
  return result;
}

SoftmaxRows softmax_rows(const Side& rows, const Side& columns, const SoftmaxScales& scales) {
  SoftmaxRows total;
  const int64_t count = rows.features.size(0);
  total.gradient = at::empty_like(rows.features);
  for_blocks(count, columns.features.size(0), [&](int64_t first, int64_t size) {
    const SoftmaxRows block = one_block(rows.slice(first, size), columns, scales);
    total.chosen += block.chosen;
    total.teacher_chosen += block.teacher_chosen;
    part(total.gradient, first, size).copy_(block.gradient);
  });
  return total;
}

}  // namespace openclip::train
