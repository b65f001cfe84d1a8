// openclip preprocess: what the image tower sees, as .npy.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "io/npy.h"
#include "models/preprocess_config.h"
#include "tasks/image_stream.h"

namespace openclip {
namespace {

constexpr const char* kPreprocessFooter =
    "\nExample:\n"
    "  openclip preprocess cat.png dog.jpg --out pixels.npy --model ViT-L-14-336";

constexpr size_t kReadAhead = 32;

struct PreprocessOptions {
  CommonOptions common;
  std::vector<std::string> images;
  std::string out;
};

int run_preprocess(const PreprocessOptions& options) {
  const PreprocessConfig config =
      preprocess_config(find_model(options.common, Need::config).config);
  NpyWriter out(options.out, DType::f32, {3, config.height, config.width});
  ImageStream stream(options.common.context(), config, options.images, kReadAhead);
  ProgressLine progress("pictures", options.common.quiet);
  int64_t skipped = 0;
  while (std::optional<PreparedImage> image = stream.next()) {
    if (image->problem.empty()) {
      out.append(image->pixels);
      progress.update(out.rows());
      continue;
    }
    progress.clear();
    tell(image->problem);
    ++skipped;
  }
  out.finish();
  progress.clear();
  const OrderedJson summary = {{"out", options.out},
                               {"shape", {out.rows(), 3, config.height, config.width}},
                               {"skipped", skipped}};
  if (options.common.json)
    print(summary.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  else if (!options.common.quiet)
    tell(
        fmt::format("[{}, 3, {}, {}] in {}", out.rows(), config.height, config.width, options.out));
  return skipped > 0 ? 1 : 0;
}

}  // namespace

void add_preprocess(Command& app, ChosenCommand& chosen) {
  Command* command =
      app.add_subcommand("preprocess", "pictures as the image tower sees them, as .npy");
  const auto options = std::make_shared<PreprocessOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  command->add_option("images", options->images, "picture files, folders or tar archives")
      ->required()
      ->type_name("IMAGE");
  command->add_option("--out", options->out, "the .npy file, float32 [n, 3, height, width]")
      ->required()
      ->type_name("F.npy");
  command->footer(kPreprocessFooter);
  command->callback(
      [&chosen, options] { chosen = [options] { return run_preprocess(*options); }; });
}

}  // namespace openclip
