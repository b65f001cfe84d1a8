// The subcommands: each adds itself to the parser, one file per subcommand. Rank 7.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace openclip {

/// Set by the subcommand that was chosen; returns the exit code.
using ChosenCommand = std::function<int()>;

void add_classify(CLI::App& app, ChosenCommand& chosen);
void add_embed(CLI::App& app, ChosenCommand& chosen);
void add_index(CLI::App& app, ChosenCommand& chosen);
void add_search(CLI::App& app, ChosenCommand& chosen);
void add_tokenize(CLI::App& app, ChosenCommand& chosen);
void add_preprocess(CLI::App& app, ChosenCommand& chosen);
void add_detect(CLI::App& app, ChosenCommand& chosen);
void add_explain(CLI::App& app, ChosenCommand& chosen);
void add_interrogate(CLI::App& app, ChosenCommand& chosen);
void add_models(CLI::App& app, ChosenCommand& chosen);
void add_convert(CLI::App& app, ChosenCommand& chosen);
void add_quantize(CLI::App& app, ChosenCommand& chosen);
void add_models_pull(CLI::App& models, ChosenCommand& chosen);
void add_caption(CLI::App& app, ChosenCommand& chosen);
void add_sd_embed(CLI::App& app, ChosenCommand& chosen);
void add_bench(CLI::App& app, ChosenCommand& chosen);
void add_curate(CLI::App& app, ChosenCommand& chosen);
void add_eval(CLI::App& app, ChosenCommand& chosen);
void add_serve(CLI::App& app, ChosenCommand& chosen);

/// Lists `train` in the help; run_train takes its arguments unparsed.
void add_train(CLI::App& app);

/// Replaces this process by openclip-train; argv[1] is "train".
/// Throws: NotFound, saying how to get it, where it is not built.
int run_train(int argc, char** argv);

}  // namespace openclip
