// openclip-train: trains CLIP models. See trainer/options.cc for the flags.
#include <c10/util/Exception.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "trainer/options.h"
#include "trainer/trainer.h"

namespace {

// OpenMP's threads spin between parallel regions by default, which takes the cores from the data
// workers (measured: half the speed where other programs run too). libgomp reads the wish when it
// is loaded, so the program starts itself again with it.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // returns only where that is impossible: go on as we are
}

}  // namespace

int main(int argc, char** argv) {
  const openclip::train::CommandLine line = openclip::train::parse_command_line(argc, argv);
  if (!line.options) {
    std::fputs(line.output.c_str(), line.exit_code == 0 ? stdout : stderr);
    return line.exit_code;
  }
  wait_passively(argv);
  std::string problem;
  try {
    openclip::train::train(*line.options);
    return 0;
  } catch (const c10::Error& error) {  // what() would add a stack trace
    problem = error.what_without_backtrace();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  std::fprintf(stderr, "openclip-train: %s\n", problem.c_str());
  return 1;
}
