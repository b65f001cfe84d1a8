// The f32 speed limit of the machine, the yardstick of all benchmarks. Rank 1.
#pragma once

namespace openclip::kernels {

/// GFLOP/s of f32 fused multiply-adds in registers (2 operations each) on `threads` threads and the
/// instruction set in use: the best of several runs, about `milliseconds` in total.
double measure_peak_gflops(int threads, double milliseconds = 50);

}  // namespace openclip::kernels
