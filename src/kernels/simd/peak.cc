#include "kernels/peak.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "base/parallel.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/peak.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Twelve independent chains hide the latency of an FMA (4 cycles, two a cycle); returns the number
// of operations done and leaves a value in `sink`, so that nothing is optimised away.
size_t fma_loop(size_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V x = hn::Set(d, 0.999f), y = hn::Set(d, 1e-3f);
  // Different starts, or the compiler would find twelve times the same chain.
  V a = y, b = hn::Add(a, x), c = hn::Add(b, x), e = hn::Add(c, x), f = hn::Add(e, x);
  V g = hn::Add(f, x), h = hn::Add(g, x), i = hn::Add(h, x), j = hn::Add(i, x);
  V k = hn::Add(j, x), l = hn::Add(k, x), m = hn::Add(l, x);
  for (size_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, x, y), b = hn::MulAdd(b, x, y), c = hn::MulAdd(c, x, y);
    e = hn::MulAdd(e, x, y), f = hn::MulAdd(f, x, y), g = hn::MulAdd(g, x, y);
    h = hn::MulAdd(h, x, y), i = hn::MulAdd(i, x, y), j = hn::MulAdd(j, x, y);
    k = hn::MulAdd(k, x, y), l = hn::MulAdd(l, x, y), m = hn::MulAdd(m, x, y);
  }
  const V sum = hn::Add(
      hn::Add(hn::Add(a, b), hn::Add(c, e)),
      hn::Add(hn::Add(hn::Add(f, g), hn::Add(h, i)), hn::Add(hn::Add(j, k), hn::Add(l, m))));
  *sink = hn::GetLane(sum);
  return rounds * 12 * 2 * hn::Lanes(d);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(fma_loop);
}  // namespace

double measure_peak_gflops(int threads, double milliseconds) {
  using Clock = std::chrono::steady_clock;
  current_isa();
  threads = std::max(threads, 1);
  std::vector<float> sinks(static_cast<size_t>(threads) * 16);
  const auto all_start = Clock::now();
  double best = 0;
  do {  // runs of about 2 ms: short enough that one is seldom interrupted
    const auto start = Clock::now();
    std::vector<size_t> operations(static_cast<size_t>(threads));
    parallel_for(threads, static_cast<size_t>(threads), 1, [&](size_t begin, size_t, int) {
      operations[begin] = HWY_DYNAMIC_DISPATCH(fma_loop)(1000000 / 3, &sinks[begin * 16]);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    double sum = 0;
    for (const size_t count : operations) sum += static_cast<double>(count);
    best = std::max(best, sum / seconds * 1e-9);
  } while (std::chrono::duration<double>(Clock::now() - all_start).count() * 1e3 < milliseconds);
  return best;
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
