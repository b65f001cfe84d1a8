#include "tensor/linear.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/half.h"
#include "base/parallel.h"
#include "kernels/isa.h"
#include "tensor/convert.h"

namespace openclip {

namespace {

using kernels::PanelType;

PanelType float_panels(DType stored, Precision precision) {
  if (precision == Precision::bf16)
    return kernels::dot_products().bf16 ? PanelType::bf16_pairs : PanelType::bf16;
  if (stored == DType::f16) return PanelType::f16;
  return stored == DType::bf16 ? PanelType::bf16 : PanelType::f32;
}

std::span<const uint8_t> bytes_of(const StoredMatrix& weight) {
  return {static_cast<const uint8_t*>(weight.data), weight.count * dtype_size(weight.dtype)};
}

// A buffer's floats as other, smaller elements.
template <class T>
T* elements(Buffer& buffer) {
  return reinterpret_cast<T*>(buffer.data());
}

size_t floats_for(size_t bytes) { return (bytes + sizeof(float) - 1) / sizeof(float); }

// body(begin, end) over the panels of n columns.
template <class Body>
void for_panels(const Context& context, size_t n, Body&& body) {
  const size_t width = kernels::panel_width();
  parallel_for(context.threads(), (n + width - 1) / width, 1,
               [&](size_t begin, size_t end, int) { body(begin, end); });
}

Buffer packed(const Context& context, PanelType type, const kernels::UnpackedMatrix& b) {
  Buffer panels(floats_for(kernels::packed_bytes(type, b.k, b.n)));
  for_panels(context, b.n, [&](size_t begin, size_t end) {
    kernels::pack_panels(type, b, begin, end, panels.data());
  });
  return panels;
}

}  // namespace

struct Linear::Stored {
  explicit Stored(const StoredMatrix& weight) : data(weight.data), holder(weight.holder) {}

  const void* data;
  std::mutex mutex;
  std::shared_ptr<const void> holder;  // of data; guarded by mutex
  bool used = false;                   // guarded by mutex
  Buffer panels;                       // written before is_packed
  std::atomic<bool> is_packed = false;
};

Linear::Linear() = default;
Linear::Linear(Linear&&) noexcept = default;
Linear& Linear::operator=(Linear&&) noexcept = default;
Linear::~Linear() = default;

Linear::Linear(const Context& context, const StoredMatrix& weight, std::span<const float> bias,
               const Shape& shape, Precision precision)
    : in_(shape.in), out_(shape.out) {
  const auto k = static_cast<size_t>(in_), n = static_cast<size_t>(out_);
  const bool bytes = weight.dtype == DType::i8;
  check_arg(weight.count == k * n, "[linear] weight must have {} elements (in {} x out {}), got {}",
            k * n, k, n, weight.count);
  check_arg(bias.empty() || bias.size() == n, "[linear] bias must have {} elements (out), got {}",
            n, bias.size());
  check_arg(weight.scales.size() == (bytes ? n : 0),
            "[linear] i8 weights, and only these, need {} scales (out), got {}", n,
            weight.scales.size());
  check_arg(shape.layout == Layout::out_in || (!bytes && precision != Precision::int8),
            "[linear] [in, out] weights cannot be multiplied as bytes");
  const size_t width = kernels::panel_width();
  const size_t padded = (n + width - 1) / width * width;
  if (precision == Precision::int8) {
    scales_ = Buffer(padded);
    std::fill(scales_.data(), scales_.data() + padded, 0.0f);
    pack_bytes(context, weight);
  } else {
    pack_floats(context, weight, shape.layout, precision);
  }
  if (bias.empty()) return;
  bias_ = Buffer(padded);
  std::fill(bias_.data(), bias_.data() + padded, 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.data());
}

void Linear::pack(const Context& context, PanelType type, const kernels::UnpackedMatrix& b) {
  type_ = type;
  panels_ = packed(context, type, b);
  if (type != PanelType::int8) return;
  sums_ = Buffer(kernels::int8_sum_floats(b.k, b.n));
  for_panels(context, b.n, [&](size_t begin, size_t end) {
    kernels::sum_panels(panels_.data(), b.k, b.n, begin, end, sums_.data());
  });
}

void Linear::pack_floats(const Context& context, const StoredMatrix& weight, Layout layout,
                         Precision precision) {
  const PanelType type = float_panels(weight.dtype, precision);
  kernels::UnpackedMatrix b{weight.data, layout == Layout::out_in, static_cast<size_t>(in_),
                            static_cast<size_t>(out_)};
  Buffer floats, halves;
  const bool to_bf16 = type == PanelType::bf16 || type == PanelType::bf16_pairs;
  const bool as_stored = to_bf16 ? weight.dtype == DType::bf16 : weight.dtype != DType::i8;
  if (as_stored && b.transposed && type != PanelType::bf16_pairs && weight.holder != nullptr) {
    type_ = type;
    stored_ = std::make_unique<Stored>(weight);
    return;
  }
  if (as_stored) return pack(context, type, b);
  if (weight.dtype != DType::f32) {
    floats = Buffer(weight.count);
    b.data = floats.data();
    if (weight.dtype == DType::i8)
      dequantise_rows(static_cast<const int8_t*>(weight.data), weight.scales.data(), b.n, b.k,
                      floats.data());
    else
      to_float(context, weight.dtype, bytes_of(weight), {floats.data(), floats.size()});
  }
  if (to_bf16) {
    halves = Buffer(floats_for(weight.count * sizeof(uint16_t)));
    const float* from = static_cast<const float*>(b.data);
    for (size_t i = 0; i < weight.count; ++i) elements<uint16_t>(halves)[i] = f32_to_bf16(from[i]);
    b.data = halves.data();
  }
  pack(context, type, b);
}

void Linear::pack_bytes(const Context& context, const StoredMatrix& weight) {
  kernels::UnpackedMatrix b{weight.data, true, static_cast<size_t>(in_), static_cast<size_t>(out_)};
  if (weight.dtype == DType::i8) {
    std::copy(weight.scales.begin(), weight.scales.end(), scales_.data());
    return pack(context, PanelType::int8, b);
  }
  Buffer bytes(floats_for(weight.count));
  const size_t size = dtype_size(weight.dtype);
  parallel_for(context.threads(), b.n, 1, [&](size_t begin, size_t end, int) {
    std::vector<float> row(b.k);
    for (size_t i = begin; i < end; ++i) {
      to_float(Context(1), weight.dtype, bytes_of(weight).subspan(i * b.k * size, b.k * size), row);
      kernels::quantise_columns(row.data(), 1, b.k, elements<int8_t>(bytes) + i * b.k,
                                scales_.data() + i);
    }
  });
  b.data = bytes.data();
  pack(context, PanelType::int8, b);
}

Linear::Use Linear::use(const Context& context) const {
  Use use{{panels_.data(), bias_.data(), static_cast<size_t>(in_), static_cast<size_t>(out_), type_,
           scales_.data(), sums_.data()},
          nullptr};
  if (stored_ == nullptr) return use;
  if (!stored_->is_packed.load(std::memory_order_acquire)) {
    const std::lock_guard lock(stored_->mutex);
    // Strassen's algorithm takes packed weights, and the first result must have the bits of the
    // next.
    if (!stored_->used && !context.strassen()) {
      stored_->used = true;
      use.weights.panels = stored_->data;
      use.weights.stored = true;
      use.holder = stored_->holder;
      return use;
    }
    if (!stored_->is_packed) {
      stored_->panels = packed(context, type_, {stored_->data, true, use.weights.k, use.weights.n});
      stored_->holder.reset();
      stored_->is_packed.store(true, std::memory_order_release);
    }
  }
  use.weights.panels = stored_->panels.data();
  return use;
}

bool Linear::multiplies_as(const Linear& other) const {
  const auto narrow = [](const Linear& layer) {
    return layer.type_ == PanelType::int8 || layer.type_ == PanelType::bf16_pairs;
  };
  return in_ == other.in_ && (type_ == other.type_ || (!narrow(*this) && !narrow(other)));
}

namespace {

kernels::MatmulOutput output_of(const Linear& weights, Matrix out, const LinearOptions& options) {
  const ConstMatrix& residual = options.residual;
  check_arg(out.cols == weights.out(), "[linear] out must have {} columns (out of weight), got {}",
            weights.out(), out.shape_str());
  check_arg(residual.data == nullptr || (residual.rows == out.rows && residual.cols == out.cols),
            "[linear] residual must be {} (as out), got {}", out.shape_str(), residual.shape_str());
  return {out.data, static_cast<size_t>(out.stride), residual.data,
          static_cast<size_t>(residual.stride), options.op};
}

kernels::MatmulWay way_of(const Context& context) {
  return context.strassen() ? kernels::MatmulWay::strassen : kernels::MatmulWay::in_order;
}

void check_rows(ConstMatrix x, const Linear& weights, Matrix out) {
  check_arg(x.cols == weights.in(), "[linear] x must have {} columns (in of weight), got {}",
            weights.in(), x.shape_str());
  check_arg(x.rows == out.rows, "[linear] out must have {} rows (as x), got {}", x.rows,
            out.shape_str());
}

}  // namespace

void linear(const Context& context, const kernels::RowSource& x, const Linear& weights, Matrix out,
            const LinearOptions& options) {
  const kernels::MatmulOutput to = output_of(weights, out, options);
  const Linear::Use use = weights.use(context);
  kernels::matmul(context.threads(), static_cast<size_t>(out.rows), x, use.weights, to,
                  way_of(context));
}

void linear(const Context& context, ConstMatrix x, const Linear& weights, Matrix out,
            const LinearOptions& options) {
  check_rows(x, weights, out);
  linear(context, kernels::MatrixRows(x.data, static_cast<size_t>(x.stride)), weights, out,
         options);
}

void linear(const Context& context, ConstMatrix x, std::initializer_list<LinearTarget> targets) {
  std::vector<kernels::MatmulTarget> products;
  std::vector<Linear::Use> uses;
  for (const LinearTarget& target : targets) {
    check_rows(x, target.weights, target.out);
    check_arg(target.weights.multiplies_as(targets.begin()->weights),
              "[linear] layers of the same rows must have one precision");
    const kernels::MatmulOutput to = output_of(target.weights, target.out, {.op = target.op});
    uses.push_back(target.weights.use(context));
    products.push_back({uses.back().weights, to});
  }
  kernels::matmul(context.threads(), static_cast<size_t>(x.rows),
                  kernels::MatrixRows(x.data, static_cast<size_t>(x.stride)), products,
                  way_of(context));
}

}  // namespace openclip
