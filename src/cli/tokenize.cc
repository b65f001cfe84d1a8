// openclip tokenize: token ids of texts.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"

namespace openclip {
namespace {

constexpr const char* kTokenizeFooter =
    "\nPrints a JSON list of id lists, each exactly as long as the model's context.\n"
    "\nExample:\n"
    "  openclip tokenize --text \"a photo of a cat\" --model ViT-B-32";

struct TokenizeOptions {
  CommonOptions common;
  std::vector<std::string> texts;
  std::string text_file;
};

int run_tokenize(const TokenizeOptions& options) {
  if (options.texts.empty() && options.text_file.empty())
    throw UsageError("nothing to tokenize; pass --text or --text-file");
  const ModelSource source = find_model(options.common, Need::config);
  const auto tokenizer = load_tokenizer(options.common, source);
  const int context_length = source.config.text.context_length;
  CutTexts cut;
  OrderedJson lists = OrderedJson::array();
  for (const std::string& text : collect_texts(options.texts, options.text_file)) {
    size_t cut_tokens = 0;
    lists.push_back(tokenizer->encode_padded(text, context_length, &cut_tokens));
    if (cut_tokens > 0) cut.add(text, cut_tokens);
  }
  print(lists.dump() + "\n");
  if (!options.common.quiet) tell_cut(cut, context_length);
  return 0;
}

}  // namespace

void add_tokenize(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("tokenize", "token ids of texts, as JSON");
  const auto options = std::make_shared<TokenizeOptions>();
  add_common_options(*command, options->common);
  add_context_length(*command, options->common);
  command->add_option("--text", options->texts, "a text; may repeat")->take_all()->expected(1);
  command->add_option("--text-file", options->text_file, "one text per line");
  command->footer(kTokenizeFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_tokenize(*options); }; });
}

}  // namespace openclip
