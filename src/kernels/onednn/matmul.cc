#include "kernels/onednn/matmul.h"

#include <unordered_map>

#include "kernels/onednn/engine.h"

namespace openclip::kernels::onednn {
namespace {

using dnnl::memory;

memory::dim dim(size_t value) { return static_cast<memory::dim>(value); }

// out = op(sum + residual): oneDNN adds what is in the destination, then applies the function.
dnnl::primitive_attr attributes(const MatmulOutput& to) {
  dnnl::post_ops ops;
  if (to.residual != nullptr) ops.append_sum(1.0f);
  switch (to.op) {
    case UnaryOp::identity:
      break;
    case UnaryOp::relu:
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      break;
    case UnaryOp::gelu:
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
      break;
    case UnaryOp::gelu_tanh:
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_gelu_tanh, 0.0f, 0.0f);
      break;
    case UnaryOp::quick_gelu:  // x * logistic(1.702 x)
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_swish, 1.702f, 0.0f);
      break;
  }
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  return attr;
}

}  // namespace

struct Matmul::State {
  size_t k, n;
  memory weights, bias;
  bool has_bias;

  dnnl::matmul::primitive_desc describe(size_t m, size_t a_stride, size_t out_stride,
                                        const memory::desc& weights_desc,
                                        const dnnl::primitive_attr& attr) const {
    const memory::desc a({dim(m), dim(k)}, memory::data_type::f32, {dim(a_stride), 1});
    const memory::desc out({dim(m), dim(n)}, memory::data_type::f32, {dim(out_stride), 1});
    const memory::desc bias_desc({1, dim(n)}, memory::data_type::f32, {dim(n), 1});
    const dnnl::matmul::desc op = has_bias ? dnnl::matmul::desc(a, weights_desc, bias_desc, out)
                                           : dnnl::matmul::desc(a, weights_desc, out);
    return {op, attr, cpu_engine()};
  }
};

Matmul::Matmul(const float* weight, const float* bias, size_t k, size_t n, size_t typical_m)
    : state_(new State{k, n, {}, {}, bias != nullptr}) {
  guarded([&] {
    const dnnl::engine& engine = cpu_engine();
    const memory::desc any({dim(k), dim(n)}, memory::data_type::f32, memory::format_tag::any);
    const memory::desc plain({dim(k), dim(n)}, memory::data_type::f32, {1, dim(k)});
    const auto description = state_->describe(typical_m, k, n, any, {});
    memory from(plain, engine, const_cast<float*>(weight));
    state_->weights = memory(description.weights_desc(), engine);
    dnnl::stream stream(engine);
    dnnl::reorder(from, state_->weights).execute(stream, from, state_->weights);
    stream.wait();
    if (bias == nullptr) return;
    state_->bias = memory({{1, dim(n)}, memory::data_type::f32, {dim(n), 1}}, engine);
    std::copy(bias, bias + n, static_cast<float*>(state_->bias.get_data_handle()));
  });
}

Matmul::~Matmul() = default;
Matmul::Matmul(Matmul&&) noexcept = default;

void Matmul::run(int threads, size_t m, const float* a, size_t a_stride,
                 const MatmulOutput& to) const {
  if (m == 0 || state_->n == 0) return;
  check_arg(to.residual == nullptr || to.residual == to.out,
            "[onednn] a residual must be the output itself");
  const ThreadScope scope(threads);
  guarded([&] {
    const dnnl::engine& engine = cpu_engine();
    // Found again in oneDNN's cache of primitives after the first call.
    const auto description =
        state_->describe(m, a_stride, to.stride, state_->weights.get_desc(), attributes(to));
    const memory from(description.src_desc(), engine, const_cast<float*>(a));
    const memory out(description.dst_desc(), engine, to.out);
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, state_->weights}, {DNNL_ARG_DST, out}};
    if (state_->has_bias) arguments.emplace(DNNL_ARG_BIAS, state_->bias);
    dnnl::stream stream(engine);
    dnnl::matmul(description).execute(stream, arguments);
    stream.wait();
  });
}

}  // namespace openclip::kernels::onednn
