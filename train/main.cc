// openclip-train: trains CLIP models. See trainer/options.cc for the flags.
#include <c10/util/Exception.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>
#include <string_view>

#include "dist/launch.h"
#include "trainer/interpolate.h"
#include "trainer/options.h"
#include "trainer/trainer.h"

namespace {

// OpenMP's threads spin between parallel regions by default, which takes the cores from the data
// workers (measured: half the speed where other programs run too). libgomp reads the wish when it
// is loaded, so the program starts itself again with it.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  // Errors are exceptions here; libtorch need not log them as well.
  ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", /*overwrite=*/0);
  ::execv("/proc/self/exe", argv);  // returns only where that is impossible: go on as we are
}

// Activations of a step are returned and asked for again in the next one. By default glibc maps each
// large one anew, so that the kernel clears its pages every time: a tenth of a small model's step. Of
// the shipped model this saves 5 % of the step, and the peak is the same.
void keep_freed_memory() {
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  ::mallopt(M_TOP_PAD, 64 << 20);
}

// What the command line asks for; returns the exit code.
int run(int argc, char** argv) {
  namespace train = openclip::train;
  const bool interpolates = argc > 1 && std::string_view(argv[1]) == "interpolate";
  const train::CommandLine line =
      interpolates ? train::interpolate(argc - 1, argv + 1) : train::parse_command_line(argc, argv);
  if (!line.options) {
    std::fputs(line.output.c_str(), line.exit_code == 0 ? stdout : stderr);
    return line.exit_code;
  }
  wait_passively(argv);
  if (line.options->nproc > 1 && !train::is_started_process())
    return train::run_processes(line.options->nproc, argv);
  keep_freed_memory();
  train::train(*line.options);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string problem;
  try {
    return run(argc, argv);
  } catch (const c10::Error& error) {  // what() would add a stack trace
    problem = error.what_without_backtrace();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  // Of processes that belong together one speaks for all.
  if (!openclip::train::report_failure(problem))
    std::fprintf(stderr, "openclip-train: %s\n", problem.c_str());
  return 1;
}
