#include "models/towers/folded_conv.h"

#include <cmath>

namespace openclip {
namespace {

constexpr double kBatchNormEps = 1e-5;  // torch.nn.BatchNorm2d's default
constexpr int64_t kDepthwise = 7;       // of tensor/conv.h

size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace

FoldedConv::FoldedConv(const Context& context, const Weights& weights, int64_t out, int64_t in,
                       int64_t kernel)
    : context_(context),
      weights_(weights),
      out_(out),
      in_(in),
      kernel_(kernel),
      weight_(at(out * in * kernel * kernel)),
      bias_(at(out)) {}

FoldedConv::FoldedConv(const Context& context, const Weights& weights, const std::string& conv)
    : context_(context), weights_(weights) {
  const Shape shape = weights.tensor(context, conv + ".weight").shape();
  out_ = shape[0];
  in_ = shape[1];
  kernel_ = shape[2];
  weight_.resize(at(shape.elements()));
  bias_.resize(at(out_));
}

FoldedConv::Norm FoldedConv::batch_norm(const Context& context, const Weights& weights,
                                        const std::string& name) {
  const Tensor weight = weights.tensor(context, name + ".weight");
  const Tensor bias = weights.tensor(context, name + ".bias");
  const Tensor mean = weights.tensor(context, name + ".running_mean");
  const Tensor variance = weights.tensor(context, name + ".running_var");
  Norm norm;
  for (int64_t i = 0; i < weight.elements(); ++i) {
    const double factor = weight.data()[i] / std::sqrt(variance.data()[i] + kBatchNormEps);
    norm.scale.push_back(factor);
    norm.shift.push_back(bias.data()[i] - mean.data()[i] * factor);
  }
  return norm;
}

FoldedConv& FoldedConv::add(const std::string& conv, const std::string& norm) {
  add(conv, batch_norm(context_, weights_, norm));
  return *this;
}

FoldedConv& FoldedConv::add(const std::string& conv) {
  const Tensor bias = weights_.tensor(context_, conv + ".bias");
  add(conv, Norm{std::vector<double>(at(out_), 1), {bias.span().begin(), bias.span().end()}});
  return *this;
}

void FoldedConv::add(const std::string& conv, const Norm& norm) {
  const Tensor weight = weights_.tensor(context_, conv + ".weight");
  const int64_t kernel = weight.shape()[2], border = (kernel_ - kernel) / 2;
  const float* from = weight.data();
  for (int64_t o = 0; o < out_; ++o) {
    bias_[at(o)] += norm.shift[at(o)];
    for (int64_t i = 0; i < in_; ++i)
      for (int64_t y = border; y < border + kernel; ++y)
        for (int64_t x = border; x < border + kernel; ++x)
          weight_[at(((o * in_ + i) * kernel_ + y) * kernel_ + x)] += *from++ * norm.scale[at(o)];
  }
}

double& FoldedConv::centre(int64_t output) {
  return weight_[at(((output * in_ + output % in_) * kernel_ + kernel_ / 2) * kernel_ +
                    kernel_ / 2)];
}

FoldedConv& FoldedConv::add_identity(const std::string& norm, double factor) {
  const Norm folded = batch_norm(context_, weights_, norm);
  for (int64_t o = 0; o < out_; ++o) {
    bias_[at(o)] += factor * folded.shift[at(o)];
    centre(o) += factor * folded.scale[at(o)];
  }
  return *this;
}

FoldedConv& FoldedConv::add_input() {
  for (int64_t o = 0; o < out_; ++o) centre(o) += 1;
  return *this;
}

FoldedConv& FoldedConv::scale(std::span<const float> factors) {
  const int64_t each = in_ * kernel_ * kernel_;
  for (int64_t o = 0; o < out_; ++o) {
    bias_[at(o)] *= factors[at(o)];
    for (int64_t i = 0; i < each; ++i) weight_[at(o * each + i)] *= factors[at(o)];
  }
  return *this;
}

Linear FoldedConv::linear(Precision precision) const {
  const int64_t area = kernel_ * kernel_;
  Buffer turned(weight_.size());
  float* to = turned.data();
  for (int64_t o = 0; o < out_; ++o)
    for (int64_t tap = 0; tap < area; ++tap)
      for (int64_t i = 0; i < in_; ++i)
        *to++ = static_cast<float>(weight_[at((o * in_ + i) * area + tap)]);
  const std::vector<float> bias(bias_.begin(), bias_.end());
  return Linear(context_, std::span<const float>(turned.data(), turned.size()), bias,
                {in_ * area, out_}, precision);
}

WinogradWeights FoldedConv::winograd() const {
  return WinogradWeights(context_, weight_, bias_, in_, out_);
}

DepthwiseWeights FoldedConv::depthwise() const {
  const int64_t border = (kDepthwise - kernel_) / 2;
  std::vector<float> taps(at(out_ * kDepthwise * kDepthwise));
  for (int64_t o = 0; o < out_; ++o)
    for (int64_t y = 0; y < kernel_; ++y)
      for (int64_t x = 0; x < kernel_; ++x)
        taps[at((o * kDepthwise + y + border) * kDepthwise + x + border)] =
            static_cast<float>(weight_[at((o * kernel_ + y) * kernel_ + x)]);
  const std::vector<float> bias(bias_.begin(), bias_.end());
  return DepthwiseWeights(taps, bias, out_);
}

}  // namespace openclip
