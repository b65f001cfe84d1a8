// openclip quantize: a model's weights as bytes, in a folder that loads without the original.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "models/convert.h"

namespace openclip {
namespace {

constexpr const char* kQuantizeFooter =
    "\nExamples:\n"
    "  openclip quantize --model ViT-B-32 --pretrained laion2b_s34b_b79k --out vit-b-32-int8\n"
    "  openclip classify cat.png --labels cat,dog --model vit-b-32-int8";

struct QuantizeOptions {
  CommonOptions common;
  std::string out;
  bool force = false;
};

int run_quantize(const QuantizeOptions& options) {
  const ModelSource source = find_model(options.common, Need::weights);
  const ConvertOptions convert{.out = options.out,
                               .layout = ModelLayout::open_clip,
                               .precision = std::nullopt,
                               .quantise = true,
                               .replace = options.force};
  const ConvertedModel done = usage([&] { return convert_model(source, convert); });
  if (!options.common.quiet)
    for (const std::string& note : done.notes) tell("note: " + note);
  const OrderedJson summary = {{"model", source.config.name},
                               {"weights", source.weights},
                               {"out", options.out},
                               {"tensors", done.tensors},
                               {"files", done.files}};
  if (options.common.json)
    print(summary.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  else if (!options.common.quiet)
    tell(fmt::format("{}: {} in int8, {}", options.out, source.config.name,
                     fmt::join(done.files, ", ")));
  return 0;
}

}  // namespace

void add_quantize(Command& app, ChosenCommand& chosen) {
  Command* command =
      app.add_subcommand("quantize", "a model's weights as bytes: a quarter of the memory");
  const auto options = std::make_shared<QuantizeOptions>();
  command->add_option("--model", options->common.model.model, "as in 'classify'")
      ->type_name("MODEL");
  command->add_option("--pretrained", options->common.model.pretrained, "weights: a tag or a file")
      ->type_name("TAG|FILE");
  command->add_option("--out", options->out, "the folder to write")->required()->type_name("DIR");
  command->add_flag("--force", options->force, "replace a model that is there");
  command->add_flag("--json", options->common.json, "what was done, as JSON");
  command->add_flag("--quiet", options->common.quiet, "errors only on stderr");
  command->footer(kQuantizeFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_quantize(*options); }; });
}

}  // namespace openclip
