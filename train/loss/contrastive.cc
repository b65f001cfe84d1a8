#include "loss/contrastive.h"

#include "loss/softmax_block.h"

namespace openclip::train {
namespace {

double total(const at::Tensor& values) { return values.sum(at::kDouble).item<double>(); }

// total(a * b), of which only blocks are ever held.
double total_product(const at::Tensor& a, const at::Tensor& b) {
  double sum = 0;
  const int64_t rows = block_rows(a.size(1));
  for (int64_t first = 0; first < a.size(0); first += rows) {
    const int64_t end = std::min(first + rows, a.size(0));
    sum += total(a.slice(0, first, end) * b.slice(0, first, end));
  }
  return sum;
}

// 1 / number of columns that are right for each row.
at::Tensor shares(const Side& rows, const Side& columns, const Side* more) {
  const int64_t count = rows.label.size(0);
  at::Tensor result = at::empty({count}, rows.features.options());
  const int64_t step = block_rows(columns.label.size(0));
  for (int64_t first = 0; first < count; first += step) {
    const at::Tensor label = rows.label.slice(0, first, first + step).unsqueeze(1);
    const auto right = [&](const Side& side) {
      return label.eq(side.label.unsqueeze(0)).logical_and_(label.ge(0)).sum(1);
    };
    at::Tensor right_answers = right(columns).clamp_min(1);  // its own at least
    if (more != nullptr) right_answers = right_answers + right(*more);
    result.slice(0, first, first + step).copy_(right_answers.to(at::kFloat).reciprocal());
  }
  return result;
}

// Pictures, captions and extra captions: this process's own, and everybody's.
class Contrast {
 public:
  Contrast(const ContrastInput& input, Communicator& processes)
      : input_(input),
        processes_(processes),
        scales_{input.scale, input.teacher_scale,
                input.teacher_image.defined() ? input.distill_weight : 0} {
    image_.features = input.image;
    text_.features = input.text;
    extra_.features = input.extra_text;
    image_.teacher = input.teacher_image;
    text_.teacher = input.teacher_text;
    gather(&Side::features);
    if (input.teacher_image.defined()) gather(&Side::teacher);
    number_pairs();
    if (input.labels.defined()) add_labels();
    add_log_sum_exps();
  }

  LossGradient compute() const {
    LossGradient result;
    SoftmaxRows image = softmax_rows(image_, all_text_, scales_);
    const SoftmaxRows text = softmax_rows(text_, all_image_, scales_);
    if (extra()) {
      Side alone = image_;
      alone.partner = at::full_like(image_.partner, -1);
      const SoftmaxRows more = softmax_rows(alone, all_extra_, scales_);
      image.chosen += more.chosen;
      image.gradient.add_(more.gradient);
      result.extra_text = softmax_rows(extra_, all_image_, scales_).gradient;
    }
    const double factor = 0.5 / static_cast<double>(all_image_.features.size(0));
    const double lse = total(image_.lse) + total(text_.lse);
    result.loss = factor * (lse - image.chosen - text.chosen);
    if (input_.teacher_image.defined())
      result.distillation = factor * (lse - image.teacher_chosen - text.teacher_chosen);
    result.image = image.gradient.mul_(factor);
    result.text = text.gradient.mul_(factor);
    if (extra()) result.extra_text.mul_(factor);
    // Logits are scale * dot: both sides' gradients hold the same sum over all pairs.
    result.scale = total_product(result.image, input_.image) / input_.scale;
    return result;
  }

 private:
  bool extra() const { return input_.extra_text.defined(); }

  void gather(at::Tensor Side::*member) {
    const auto one = [&](const Side& own, Side& all) {
      GatheredRows gathered = processes_.gather_rows(own.*member);
      all.*member = gathered.rows;
      return gathered.first;
    };
    first_ = one(image_, all_image_);
    one(text_, all_text_);
    if (extra() && (extra_.*member).defined()) one(extra_, all_extra_);
  }

  void number_pairs() {
    const auto options = input_.image.options().dtype(at::kLong);
    const auto number = [&](Side& side, int64_t first) {
      side.partner = at::arange(first, first + side.features.size(0), options);
    };
    number(image_, first_);
    number(text_, first_);
    number(all_image_, 0);
    number(all_text_, 0);
    if (!extra()) return;
    extra_.partner = at::full({extra_.features.size(0)}, -1, options);
    all_extra_.partner = at::full({all_extra_.features.size(0)}, -1, options);
  }

  void add_labels() {
    image_.label = text_.label = input_.labels;
    if (extra()) extra_.label = input_.extra_labels;
    gather(&Side::label);
    for (Side* side : {&image_, &text_, &extra_, &all_image_, &all_text_, &all_extra_})
      side->id = side->partner;
    image_.share = shares(image_, all_text_, extra() ? &all_extra_ : nullptr);
    text_.share = shares(text_, all_image_, nullptr);
    all_image_.share = processes_.gather_rows(image_.share).rows;
    all_text_.share = processes_.gather_rows(text_.share).rows;
  }

  void add_log_sum_exps() {
    image_.lse = log_sum_exp(image_.features, all_text_.features, scales_.student);
    if (extra())
      image_.lse = at::logaddexp(
          image_.lse, log_sum_exp(image_.features, all_extra_.features, scales_.student));
    text_.lse = log_sum_exp(text_.features, all_image_.features, scales_.student);
    all_image_.lse = processes_.gather_rows(image_.lse).rows;
    all_text_.lse = processes_.gather_rows(text_.lse).rows;
    if (!input_.teacher_image.defined()) return;
    image_.teacher_lse = log_sum_exp(image_.teacher, all_text_.teacher, scales_.teacher);
    text_.teacher_lse = log_sum_exp(text_.teacher, all_image_.teacher, scales_.teacher);
    all_image_.teacher_lse = processes_.gather_rows(image_.teacher_lse).rows;
    all_text_.teacher_lse = processes_.gather_rows(text_.teacher_lse).rows;
  }

  const ContrastInput& input_;
  Communicator& processes_;
  const SoftmaxScales scales_;
  Side image_, text_, extra_;
  Side all_image_, all_text_, all_extra_;
  int64_t first_ = 0;  // of this process's pairs among all
};

}  // namespace

LossGradient contrastive_loss(const ContrastInput& input, Communicator& processes) {
  return Contrast(input, processes).compute();
}

LossGradient nt_xent_loss(const NtXentInput& input, Communicator& processes) {
  const double scale = 1 / input.temperature;
  const GatheredRows first = processes.gather_rows(input.first);
  const GatheredRows second = processes.gather_rows(input.second);
  const int64_t own = input.first.size(0), all = first.rows.size(0);
  // Views are numbered: all first ones, then all second ones.
  const at::Tensor number =
      at::arange(first.first, first.first + own, input.first.options().dtype(at::kLong));
  Side rows, columns;
  rows.features = at::cat({input.first, input.second});
  rows.self = at::cat({number, number + all});
  rows.partner = at::cat({number + all, number});
  columns.features = at::cat({first.rows, second.rows});
  rows.lse = log_sum_exp(rows.features, columns.features, scale, rows.self);
  columns.lse = at::cat({processes.gather_rows(rows.lse.slice(0, 0, own)).rows,
                         processes.gather_rows(rows.lse.slice(0, own)).rows});
  const SoftmaxRows result = softmax_rows(rows, columns, {.student = scale});
  const double factor = 0.5 / static_cast<double>(all);
  result.gradient.mul_(factor);
  LossGradient gradient;
  gradient.loss = factor * (total(rows.lse) - result.chosen);
  gradient.image = result.gradient.slice(0, 0, own);
  gradient.text = result.gradient.slice(0, own);
  return gradient;
}

}  // namespace openclip::train
