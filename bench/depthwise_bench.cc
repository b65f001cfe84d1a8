// Times the depthwise 7x7 convolution on the maps of convnext_base at 224 pixels: GFLOP/s (lower
// quartile, processor time of one thread) and the share of the machine's FMA peak.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "kernels/depthwise.h"
#include "kernels/isa.h"
#include "kernels/peak.h"

namespace {
using namespace openclip;

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Operations that a map needs: taps outside of the image are none.
double flops_of(size_t side, size_t channels) {
  double taps = 0;
  for (size_t i = 0; i < side; ++i)
    taps += static_cast<double>(std::min<size_t>(side, i + 4) - (i < 3 ? 0 : i - 3));
  return 2 * taps * taps * static_cast<double>(channels);
}

void bench(size_t side, size_t channels, double peak) {
  const size_t blocks = kernels::depthwise_blocks(channels);
  const std::vector<float> x(side * side * channels, 0.5f), bias(blocks * 16, 1.0f);
  const std::vector<float> weights(blocks * kernels::kDepthwiseTaps, 0.25f);
  std::vector<float> out(x.size()), scratch(kernels::depthwise_scratch_floats(side));
  const kernels::Depthwise image{x.data(), side, side, channels, weights.data(), bias.data()};
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) {
    const double start = now();
    kernels::depthwise_conv(image, {0, blocks, 0, side}, scratch.data(), out.data());
    times.push_back(now() - start);
  }
  std::nth_element(times.begin(), times.begin() + 15, times.end());
  const double gflops = flops_of(side, channels) / times[15] * 1e-9;
  std::printf("%3zu x %3zu x %4zu  %7.3f ms  %6.1f GFLOP/s (%3.0f %%)\n", side, side, channels,
              times[15] * 1e3, gflops, 100 * gflops / peak);
}

}  // namespace

int main() {
  const double peak = kernels::measure_peak_gflops(1, 300);
  std::printf("isa %s, one thread, peak %.1f GFLOP/s\n", kernels::isa_name().c_str(), peak);
  bench(56, 128, peak);
  bench(28, 256, peak);
  bench(14, 512, peak);
  bench(7, 1024, peak);
}
