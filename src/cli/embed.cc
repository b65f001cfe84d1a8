// openclip embed: features of pictures and texts as .npy.
#include "tasks/embed.h"

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"

namespace openclip {
namespace {

constexpr const char* kEmbedFooter =
    "\nWrites F.npy, float32 [rows, dim], and beside it F.jsonl, which names each row.\n"
    "\nExamples:\n"
    "  openclip embed pictures/ shard.tar --out features.npy\n"
    "  openclip embed cat.png --text \"a cat\" --text-file captions.txt --out features.npy";

struct EmbedOptions {
  CommonOptions common;
  EmbedRequest request;
  std::vector<std::string> texts;
  std::string text_file;
  bool raw = false, tokens = false;
  std::optional<int> hidden_layer;
};

Towers needed_towers(const EmbedRequest& request) {
  if (request.texts.empty()) return Towers::image_only;
  return request.images.empty() ? Towers::text_only : Towers::both;
}

// A layer that is not there is told before weights are read.
void check_layer(const ModelConfig& config, const EmbedRequest& request) {
  if (!request.images.empty()) request.tokens->block_count(config.vision.layers);
  if (!request.texts.empty()) request.tokens->block_count(config.text.layers);
}

int run_embed(EmbedOptions& options) {
  EmbedRequest& request = options.request;
  request.texts = collect_texts(options.texts, options.text_file);
  request.normalize = !options.raw;
  if (options.hidden_layer)
    request.tokens = TokenStates{.layer = *options.hidden_layer, .final_norm = options.tokens};
  else if (options.tokens)
    request.tokens = TokenStates{};
  if (request.images.empty() && options.texts.empty() && options.text_file.empty())
    throw UsageError("nothing to embed; name pictures, --text or --text-file");
  const ModelSource source = find_model(options.common, Need::weights);
  const Context context = options.common.context();
  const std::vector<int64_t> row = usage([&] { return row_shape(source.config, request); });
  if (request.tokens) usage([&] { check_layer(source.config, request); });
  const auto model = load_model(context, source, {.towers = needed_towers(request)});
  std::unique_ptr<const Tokenizer> tokenizer;
  if (!request.texts.empty()) tokenizer = load_tokenizer(options.common, source);

  ProgressLine progress("rows", options.common.quiet);
  EmbedListener listener;
  listener.on_rows = [&](int64_t rows) { progress.update(rows); };
  listener.on_skipped = [&](const std::string& problem) {
    progress.clear();
    tell(problem);
  };
  const EmbedResult result = embed(context, *model, tokenizer.get(), request, listener);
  progress.clear();
  if (!options.common.quiet) tell_cut(result.cut, source.config.text.context_length);
  OrderedJson summary = {{"out", request.out},
                         {"rows_file", rows_path(request.out)},
                         {"rows", result.rows},
                         {"dim", row.back()},
                         {"skipped", result.skipped}};
  if (request.tokens) summary["tokens"] = row.front();
  if (options.common.json)
    print(summary.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  else if (!options.common.quiet)
    tell(fmt::format("{} rows of {} in {}, named in {}{}", result.rows, fmt::join(row, " x "),
                     request.out, rows_path(request.out),
                     result.skipped > 0 ? fmt::format("; {} skipped", result.skipped) : ""));
  return result.skipped > 0 ? 1 : 0;
}

}  // namespace

void add_embed(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("embed", "features of pictures and texts, as .npy");
  const auto options = std::make_shared<EmbedOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  add_context_length(*command, options->common);
  command->add_option("inputs", options->request.images, "picture files, folders or tar archives")
      ->type_name("IMAGE|DIR|TAR");
  command->add_option("--text", options->texts, "a text; may repeat")->take_all()->expected(1);
  command->add_option("--text-file", options->text_file, "one text per line");
  command->add_option("--out", options->request.out, "the .npy file to write")
      ->required()
      ->type_name("F.npy");
  command->add_flag("--no-normalize", options->raw, "features as the towers give them");
  command->add_flag("--tokens", options->tokens,
                    "the states of all tokens after the final norm, [rows, tokens, width], in "
                    "place of the features; not normalised");
  command
      ->add_option("--hidden-layer", options->hidden_layer,
                   "the tokens after block N, without the final norm (with it if --tokens is given "
                   "too): 0 = before the first, -1 = after the last")
      ->type_name("N");
  command->add_option("--batch", options->request.batch, "pictures of one pass")
      ->capture_default_str()
      ->in_range(1, 4096);
  command->footer(kEmbedFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_embed(*options); }; });
}

}  // namespace openclip
