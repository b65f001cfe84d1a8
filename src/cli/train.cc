// openclip train: starts openclip-train, which is built on libtorch and so a program of its own.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands.h"
#include "cli/options.h"
#include "models/default_model.h"

namespace openclip {

void add_train(Command& app) {
  app.add_subcommand("train", "train or fine-tune a model (starts openclip-train)");
}

int run_train(int, char** argv) {
  const std::string program = program_folder() + "/openclip-train";
  if (!std::filesystem::exists(program))
    throw NotFound(
        program + " is not built; 'make train' in the source folder builds it (it needs libtorch)");
  argv[1] = argv[0];
  execv(program.c_str(), argv + 1);
  throw IoError(fmt::format("{}: cannot be started: {}", program, std::strerror(errno)));
}

}  // namespace openclip
