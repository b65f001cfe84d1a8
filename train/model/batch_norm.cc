#include "model/batch_norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "kernels/batch_norm.h"

namespace openclip::train {
namespace {

constexpr double kEps = 1e-5;
constexpr double kMomentum = 0.1;
// Rows whose sums are made in f32. Blocks are the same for every number of threads, so the sums
// are.
constexpr int64_t kBlock = 256;
// Columns that fill the vectors of every instruction set.
constexpr int64_t kVector = 16;

// [batch, channels, height, width], channels last, as a matrix; few channels are seen as more, of
// several pixels, so that they fill vectors.
struct Columns {
  int64_t channels, fold, rows;

  explicit Columns(const at::Tensor& x) : channels(x.size(1)), fold(1), rows(x.numel() / channels) {
    while (channels * fold % kVector != 0 && rows % 2 == 0) {
      fold *= 2;
      rows /= 2;
    }
  }

  int64_t width() const { return channels * fold; }
  int64_t blocks() const { return (rows + kBlock - 1) / kBlock; }
  double pixels() const { return static_cast<double>(rows * fold); }

  template <class T>
  kernels::Rows<T> block(T* data, int64_t begin, int64_t end) const {
    return {data + begin * width(), static_cast<size_t>(end - begin), static_cast<size_t>(width()),
            static_cast<size_t>(width())};
  }

  // [channels] -> [width()], f32.
  at::Tensor spread(const at::Tensor& values) const {
    return values.to(at::kFloat).repeat({fold}).contiguous();
  }

  // body(first row, row behind the last) for every block, on all threads.
  template <class Body>
  void for_blocks(const Body& body) const {
    at::parallel_for(0, blocks(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i * kBlock, std::min(rows, (i + 1) * kBlock));
    });
  }

  // Two sums of each channel in f64: add(first row, row behind the last, sums, other sums) for
  // every block. [2, channels]
  template <class Add>
  at::Tensor sums(const Add& add) const {
    const at::Tensor parts = at::zeros({blocks(), 2, width()}, at::kFloat);
    float* data = parts.data_ptr<float>();
    for_blocks([&](int64_t begin, int64_t end) {
      float* first = data + begin / kBlock * 2 * width();
      add(begin, end, first, first + width());
    });
    return parts.sum(0, false, at::kDouble).view({2, fold, channels}).sum(1);
  }
};

bool has_kernel(const at::Tensor& x, const BatchNorm& norm) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) && norm.weight.scalar_type() == at::kFloat;
}

const float* floats(const at::Tensor& x) { return x.const_data_ptr<float>(); }

// The mean and variance of the batch in f64, [2, channels].
at::Tensor statistics_of(const at::Tensor& x, const Columns& columns) {
  // A centre near the mean: that of the first rows.
  const int64_t some = std::min(columns.rows, kBlock);
  const at::Tensor centre = columns.spread(
      at::from_blob(x.data_ptr<float>(), {some * columns.fold, columns.channels}).mean(0));
  const at::Tensor sums = columns.sums([&](int64_t begin, int64_t end, float* sums,
                                           float* squares) {
    kernels::column_moments(columns.block(floats(x), begin, end), floats(centre), sums, squares);
  });
  const at::Tensor moments = sums / columns.pixels();
  const at::Tensor shift = moments[0];
  return at::stack(
      {shift + centre.narrow(0, 0, columns.channels), (moments[1] - shift.square()).clamp_min(0)});
}

void follow(const BatchNorm& norm, const at::Tensor& statistics, double pixels) {
  const double unbiased = pixels > 1 ? pixels / (pixels - 1) : std::nan("");
  at::Tensor(norm.running_mean).lerp_(statistics[0].to(at::kFloat), kMomentum);
  at::Tensor(norm.running_variance).lerp_((statistics[1] * unbiased).to(at::kFloat), kMomentum);
}

class BatchNormRelu : public torch::autograd::Function<BatchNormRelu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias, const BatchNorm& norm,
                            BatchNormMode mode, bool relu) {
    const Columns columns(x);
    const at::Tensor statistics = statistics_of(x, columns);
    if (mode == BatchNormMode::batch_update) follow(norm, statistics, columns.pixels());
    const at::Tensor scale = weight * (statistics[1] + kEps).rsqrt();
    const at::Tensor by_channel =
        at::stack({scale, bias - statistics[0] * scale, statistics[0]}).to(at::kFloat);
    context->save_for_backward({x, weight, by_channel, statistics[1]});
    context->saved_data["relu"] = relu;
    const at::Tensor y = at::empty_like(x);
    const Parameters parameters(columns, by_channel, relu);
    columns.for_blocks([&](int64_t begin, int64_t end) {
      kernels::norm_columns(columns.block(floats(x), begin, end), parameters.columns,
                            columns.block(y.data_ptr<float>(), begin, end));
    });
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &by_channel = saved[2];
    const at::Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Columns columns(x);
    const Parameters parameters(columns, by_channel, context->saved_data["relu"].toBool());
    const at::Tensor sums =
        columns.sums([&](int64_t begin, int64_t end, float* sums, float* products) {
          kernels::norm_columns_sums(columns.block(floats(x), begin, end),
                                     columns.block(floats(dy), begin, end), parameters.columns,
                                     sums, products);
        });
    const at::Tensor inverse = (saved[3] + kEps).rsqrt();  // of the standard deviation
    const at::Tensor share = weight * inverse / -columns.pixels();
    const at::Tensor slope = columns.spread(share * sums[1] * inverse.square());
    const at::Tensor level = columns.spread(share * sums[0]);
    const at::Tensor dx = at::empty_like(x);
    columns.for_blocks([&](int64_t begin, int64_t end) {
      kernels::norm_columns_backward(columns.block(floats(x), begin, end),
                                     columns.block(floats(dy), begin, end), parameters.columns,
                                     floats(slope), floats(level),
                                     columns.block(dx.data_ptr<float>(), begin, end));
    });
    return {dx,
            (sums[1] * inverse).to(at::kFloat),
            sums[0].to(at::kFloat),
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }

 private:
  // What the kernels read of by_channel [3, channels]: scale, offset, mean.
  struct Parameters {
    Parameters(const Columns& shape, const at::Tensor& by_channel, bool relu)
        : scale(shape.spread(by_channel[0])),
          offset(shape.spread(by_channel[1])),
          mean(shape.spread(by_channel[2])),
          columns{floats(scale), floats(offset), floats(mean), relu} {}

    at::Tensor scale, offset, mean;
    kernels::NormColumns columns;
  };
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& norm, BatchNormMode mode, bool relu) {
  const bool own = mode != BatchNormMode::running, kept = mode != BatchNormMode::batch;
  if (own && has_kernel(x, norm))
    return BatchNormRelu::apply(x, norm.weight, norm.bias, norm, mode, relu);
  const at::Tensor y =
      at::batch_norm(x, norm.weight, norm.bias, kept ? norm.running_mean : at::Tensor(),
                     kept ? norm.running_variance : at::Tensor(), own, kMomentum, kEps,
                     /*cudnn_enabled=*/true);
  return relu ? at::Tensor(y).relu_() : y;
}

}  // namespace openclip::train
