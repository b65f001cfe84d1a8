// Times the packed product beside oneDNN's on the shapes of the towers: prints GFLOP/s (median of
// interleaved runs) and the share of the machine's FMA peak. oneDNN's is always f32.
// Usage: OMP_WAIT_POLICY=passive matmul_bench [threads [f32|f16|bf16|bf16_pairs|int8]]
// (else oneDNN's threads spin after each product and take a core from ours)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/parallel.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/onednn/matmul.h"
#include "kernels/peak.h"

namespace {
using namespace openclip;

struct Shape {
  const char* what;
  size_t m, k, n;
  kernels::UnaryOp op;
};

constexpr Shape kShapes[] = {
    {"B-32 qkv, 32 images", 1600, 768, 2304, kernels::UnaryOp::identity},
    {"B-32 out, 32 images", 1600, 768, 768, kernels::UnaryOp::identity},
    {"B-32 fc1, 32 images", 1600, 768, 3072, kernels::UnaryOp::gelu},
    {"B-32 fc2, 32 images", 1600, 3072, 768, kernels::UnaryOp::identity},
    {"B-32 qkv, 1 image", 50, 768, 2304, kernels::UnaryOp::identity},
    {"B-32 out, 1 image", 50, 768, 768, kernels::UnaryOp::identity},
    {"B-32 fc1, 1 image", 50, 768, 3072, kernels::UnaryOp::gelu},
    {"B-32 fc2, 1 image", 50, 3072, 768, kernels::UnaryOp::identity},
    {"L-14 fc1, 1 image", 257, 1024, 4096, kernels::UnaryOp::gelu},
    {"L-14 fc2, 1 image", 257, 4096, 1024, kernels::UnaryOp::identity},
    {"text qkv, 8 tokens", 8, 512, 1536, kernels::UnaryOp::identity},
    {"text fc1, 8 tokens", 8, 512, 2048, kernels::UnaryOp::quick_gelu},
    {"text fc2, 1 token", 1, 2048, 512, kernels::UnaryOp::identity},
};

float* aligned(std::vector<float>& storage, size_t count) {
  storage.assign(count + 16, 0.0f);
  const auto address = reinterpret_cast<uintptr_t>(storage.data());
  float* start = storage.data() + ((64 - address % 64) % 64) / sizeof(float);
  for (size_t i = 0; i < count; ++i) start[i] = static_cast<float>(i * 7919 % 1000) * 1e-3f - 0.5f;
  return start;
}

// Processor time of this thread where there is one, else wall time: on a busy machine only the
// former says what the code needs.
double now(int threads) {
  timespec time{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Lower quartile of the times of each, run in turn: other programs on the machine only ever add
// time, and what they add falls on all alike.
std::vector<double> seconds_of(int threads, const std::vector<std::function<void()>>& runs,
                               int repeats) {
  std::vector<std::vector<double>> times(runs.size());
  for (int i = 0; i < repeats; ++i) {
    for (size_t j = 0; j < runs.size(); ++j) {
      // Wakes the workers, which are awake between the layers of a tower.
      parallel_for(threads, static_cast<size_t>(threads), 1, [](size_t, size_t, int) {});
      const double start = now(threads);
      runs[j]();
      times[j].push_back(now(threads) - start);
    }
  }
  std::vector<double> quartiles;
  for (std::vector<double>& own : times) {
    std::nth_element(own.begin(), own.begin() + own.size() / 4, own.end());
    quartiles.push_back(own[own.size() / 4]);
  }
  return quartiles;
}

void bench(const Shape& shape, int threads, kernels::PanelType type, double peak) {
  std::vector<float> a_store, w_store, p_store, bias_store, out_store, scale_store, sum_store;
  const float* a = aligned(a_store, shape.m * shape.k);
  const float* w = aligned(w_store, shape.n * shape.k);
  const float* bias = aligned(bias_store, shape.n + 64);
  float* out = aligned(out_store, shape.m * shape.n);
  const size_t width = kernels::panel_width(), panels = (shape.n + width - 1) / width;
  float* packed = aligned(p_store, kernels::packed_bytes(type, shape.k, shape.n) / sizeof(float));
  float* scales = aligned(scale_store, panels * width);
  float* sums = aligned(sum_store, kernels::int8_sum_floats(shape.k, shape.n));
  std::vector<int8_t> bytes(type == kernels::PanelType::int8 ? shape.n * shape.k : 0);
  std::vector<uint16_t> halves(shape.n * shape.k);
  const void* elements = w;
  if (type == kernels::PanelType::int8) {
    kernels::quantise_columns(w, shape.n, shape.k, bytes.data(), scales);
    elements = bytes.data();
  } else if (type != kernels::PanelType::f32) {
    for (size_t i = 0; i < halves.size(); ++i)
      halves[i] = type == kernels::PanelType::f16 ? f32_to_f16(w[i]) : f32_to_bf16(w[i]);
    elements = halves.data();
  }
  kernels::pack_panels(type, {elements, true, shape.k, shape.n}, 0, panels, packed);
  if (type == kernels::PanelType::int8)
    kernels::sum_panels(packed, shape.k, shape.n, 0, panels, sums);
  const kernels::PackedMatrix b{packed, bias, shape.k, shape.n, type, scales, sums};
  kernels::PackedMatrix stored = b;
  stored.stored = type != kernels::PanelType::int8 && type != kernels::PanelType::bf16_pairs;
  if (stored.stored) stored.panels = elements;
  const kernels::MatrixRows rows(a, shape.k);
  kernels::MatmulOutput to;
  to.out = out;
  to.stride = shape.n;
  to.op = shape.op;
  const double flops = 2.0 * shape.m * shape.k * shape.n;
  const int repeats = static_cast<int>(std::clamp(4e9 / flops * 5, 15.0, 3000.0));
  const kernels::onednn::Matmul other(w, bias, shape.k, shape.n, shape.m);
  const std::vector<double> seconds =
      seconds_of(threads,
                 {[&] { kernels::matmul(threads, shape.m, rows, b, to); },
                  [&] { kernels::matmul(threads, shape.m, rows, stored, to); },
                  [&] { other.run(threads, shape.m, a, shape.k, to); }},
                 repeats);
  const double own = flops / seconds[0] * 1e-9, onednn = flops / seconds[2] * 1e-9;
  std::printf("%-20s %5zu %5zu %5zu  own %6.1f GFLOP/s (%3.0f %%)  oneDNN %6.1f (%3.0f %%)",
              shape.what, shape.m, shape.k, shape.n, own, 100 * own / peak, onednn,
              100 * onednn / peak);
  if (stored.stored) std::printf("  as stored %6.1f", flops / seconds[1] * 1e-9);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : available_threads();
  const double peak = kernels::measure_peak_gflops(threads, 300);
  std::printf("isa %s, %d threads, peak %.1f GFLOP/s\n", kernels::isa_name().c_str(), threads,
              peak);
  const std::string type = argc > 2 ? argv[2] : "f32";
  constexpr std::pair<const char*, kernels::PanelType> kTypes[] = {
      {"f32", kernels::PanelType::f32},
      {"f16", kernels::PanelType::f16},
      {"bf16", kernels::PanelType::bf16},
      {"bf16_pairs", kernels::PanelType::bf16_pairs},
      {"int8", kernels::PanelType::int8}};
  for (const auto& [name, value] : kTypes)
    if (type == name)
      for (const Shape& shape : kShapes) bench(shape, threads, value, peak);
}
