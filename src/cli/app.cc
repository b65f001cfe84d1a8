#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/http/errors.h"
#include "openclip/version.h"

namespace openclip {
namespace {

constexpr const char* kVersionText =
    "openclip " OPENCLIP_VERSION
    "\nThe shipped default model knows drawings, icons and emoji, with English and Chinese names;\n"
    "for photographs take a pretrained CLIP with --model NAME --pretrained TAG|FILE.";

constexpr const char* kFooter =
    "\nExamples:\n"
    "  openclip classify cat.png --labels \"a cat,a dog\"\n"
    "  openclip embed pictures/ --text \"a red heart\" --out features.npy\n"
    "  openclip classify photo.jpg --labels cat,dog --template \"a photo of a {}.\" \\\n"
    "      --model ViT-B-32 --pretrained laion2b_s34b_b79k\n"
    "\n'openclip COMMAND --help' has the options of a command. Results go to stdout, everything "
    "else\n"
    "to stderr. Exit code: 0 done, 1 failed, 2 wrong usage.";

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2) throw UsageError("no command; 'openclip --help' lists them");
  const std::string name = argv[1];
  if (name.starts_with('-')) return;
  const std::vector<std::string> names = command_names(app);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const std::string nearest = nearest_names(name, names, 1).front();
  throw UsageError(fmt::format("unknown command '{}'; {}", name,
                               edit_distance(name, nearest) <= 3
                                   ? fmt::format("did you mean '{}'?", nearest)
                                   : fmt::format("there are {}", fmt::join(names, ", "))));
}

// Help or version: what was asked for goes to stdout. Else the parser's complaint as one line.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) {
    const int code = app.exit(error);
    flush_output();
    return code;
  }
  std::string text = error.what();
  if (!text.empty() && text.back() == '.') text.pop_back();
  const bool known = argc > 1 && argv[1][0] != '-';
  throw UsageError(fmt::format("{}; 'openclip {}--help' shows the options", text,
                               known ? std::string(argv[1]) + " " : ""));
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "train") return run_train(argc, argv);
  CLI::App app("CLIP: pictures and sentences as vectors of one space.", "openclip");
  app.set_version_flag("--version", kVersionText);
  app.require_subcommand(1);
  app.footer(kFooter);
  ChosenCommand chosen;
  Command root(app);
  add_classify(root, chosen);
  add_embed(root, chosen);
  add_index(root, chosen);
  add_search(root, chosen);
  add_tokenize(root, chosen);
  add_preprocess(root, chosen);
  add_detect(root, chosen);
  add_explain(root, chosen);
  add_interrogate(root, chosen);
  add_models(root, chosen);
  add_convert(root, chosen);
  add_caption(root, chosen);
  add_sd_embed(root, chosen);
  add_quantize(root, chosen);
  add_bench(root, chosen);
  add_curate(root, chosen);
  add_eval(root, chosen);
  add_serve(root, chosen);
  add_train(root);
  check_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return end_of_parsing(app, error, argc, argv);
  }
  const int code = chosen();
  flush_output();
  return code;
}

}  // namespace

int run_cli(int argc, char** argv) {
#ifdef SIGXFSZ
  // A file that may not grow is a failed write with a line of its own, not a death by signal.
  std::signal(SIGXFSZ, SIG_IGN);
#endif
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    tell(error.what());
    return 2;
  } catch (const Cancelled& error) {
    tell(error.what());
    // A shell that runs a script stops it only if the program died of the signal.
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  } catch (const Error& error) {
    tell(error.what());
  } catch (const std::bad_alloc&) {
    tell("out of memory");
  } catch (const std::exception& error) {
    tell(std::string("internal error: ") + error.what());
  }
  return 1;
}

}  // namespace openclip
