// openclip convert: a model as a folder that Python's open_clip or transformers loads.
#include "models/convert.h"

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"

namespace openclip {
namespace {

constexpr const char* kConvertFooter =
    "\nExamples:\n"
    "  openclip convert --model ViT-B-32 --pretrained epoch_32.pt --out vit-b-32\n"
    "  openclip convert --model vit-b-32 --to transformers --precision f16 --out for-transformers";

struct ConvertCommand {
  ModelRequest model;
  std::string out, to = "openclip", precision = "stored";
  bool force = false, json = false, quiet = false;
};

int run_convert(const ConvertCommand& options) {
  CommonOptions common;
  common.model = options.model;
  common.quiet = options.quiet;
  const ModelSource source = find_model(common, Need::weights);
  const ConvertOptions convert{
      .out = options.out,
      .layout = options.to == "openclip" ? ModelLayout::open_clip : ModelLayout::transformers,
      .precision = dtype_from_name(options.precision),
      .replace = options.force};
  const ConvertedModel done = usage([&] { return convert_model(source, convert); });
  if (!options.quiet)
    for (const std::string& note : done.notes) tell("note: " + note);
  const OrderedJson summary = {{"model", source.config.name}, {"weights", source.weights},
                               {"out", options.out},          {"layout", options.to},
                               {"tensors", done.tensors},     {"files", done.files}};
  if (options.json)
    print(summary.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  else if (!options.quiet)
    tell(fmt::format("{}: {} tensors of {} in {}", options.out, done.tensors, source.config.name,
                     fmt::join(done.files, ", ")));
  return 0;
}

}  // namespace

void add_convert(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand(
      "convert", "a model as a folder that Python's open_clip or transformers loads");
  const auto options = std::make_shared<ConvertCommand>();
  command->add_option("--model", options->model.model, "as in 'classify'")->type_name("MODEL");
  command->add_option("--pretrained", options->model.pretrained, "weights: a tag or a file")
      ->type_name("TAG|FILE");
  command->add_option("--out", options->out, "the folder to write")->required()->type_name("DIR");
  command->add_option("--to", options->to, "openclip (default) or transformers")
      ->one_of({"openclip", "transformers"});
  command
      ->add_option("--precision", options->precision,
                   "stored (default: as in the checkpoint), f32, f16 or bf16")
      ->one_of({"stored", "f32", "f16", "bf16"});
  command->add_flag("--force", options->force, "replace a model that is there");
  command->add_flag("--json", options->json, "results as JSON");
  command->add_flag("--quiet", options->quiet, "errors only on stderr");
  command->footer(kConvertFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_convert(*options); }; });
}

}  // namespace openclip
