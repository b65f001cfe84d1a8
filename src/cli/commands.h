// The subcommands: each adds itself to the parser, one file per subcommand. Rank 7.
#pragma once

#include <functional>

#include "cli/parser.h"

namespace openclip {

/// Set by the subcommand that was chosen; returns the exit code.
using ChosenCommand = std::function<int()>;

void add_classify(Command& app, ChosenCommand& chosen);
void add_embed(Command& app, ChosenCommand& chosen);
void add_index(Command& app, ChosenCommand& chosen);
void add_search(Command& app, ChosenCommand& chosen);
void add_tokenize(Command& app, ChosenCommand& chosen);
void add_preprocess(Command& app, ChosenCommand& chosen);
void add_detect(Command& app, ChosenCommand& chosen);
void add_explain(Command& app, ChosenCommand& chosen);
void add_interrogate(Command& app, ChosenCommand& chosen);
void add_models(Command& app, ChosenCommand& chosen);
void add_convert(Command& app, ChosenCommand& chosen);
void add_quantize(Command& app, ChosenCommand& chosen);
void add_models_pull(Command& models, ChosenCommand& chosen);
void add_caption(Command& app, ChosenCommand& chosen);
void add_sd_embed(Command& app, ChosenCommand& chosen);
void add_bench(Command& app, ChosenCommand& chosen);
void add_curate(Command& app, ChosenCommand& chosen);
void add_eval(Command& app, ChosenCommand& chosen);
void add_serve(Command& app, ChosenCommand& chosen);

/// Lists `train` in the help; run_train takes its arguments unparsed.
void add_train(Command& app);

/// Replaces this process by openclip-train; argv[1] is "train".
/// Throws: NotFound, saying how to get it, where it is not built.
int run_train(int argc, char** argv);

}  // namespace openclip
