// openclip caption: what a CoCa writes about pictures.
#include "tasks/caption.h"

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"

namespace openclip {
namespace {

constexpr const char* kCaptionFooter =
    "\nWithout --top-k and --top-p the caption is found by beam search, with open_clip's defaults; "
    "--top-k 1\n"
    "is the greedy caption, other values draw words at random.\n"
    "\nExamples:\n"
    "  openclip caption cat.jpg --model coca_ViT-L-14 --pretrained "
    "mscoco_finetuned_laion2b_s13b_b90k\n"
    "  openclip caption pictures/ --top-p 0.9 --temperature 0.7 --seed 1 --json \\\n"
    "      --model coca_ViT-B-32 --pretrained laion2b_s13b_b90k";

struct CaptionOptions {
  CommonOptions common;
  CaptionRequest request;
  std::optional<int> top_k;
  std::optional<double> top_p;
};

int run_caption(CaptionOptions& options) {
  GenerationOptions& generation = options.request.generation;
  if (options.top_k && options.top_p)
    throw UsageError("--top-k and --top-p are two ways of drawing words; pass one of them");
  if (options.top_k) {
    generation.type = GenerationType::top_k;
    generation.top_k = *options.top_k;
  } else if (options.top_p) {
    generation.type = GenerationType::top_p;
    generation.top_p = *options.top_p;
  }
  usage([&] { check_generation(generation); });
  const ModelSource source = find_model(options.common, Need::weights);
  usage([&] { check_captions(source.config, generation); });
  const Context context = options.common.context();
  const auto model = load_model(context, source, {.captions = true});
  const auto tokenizer = load_tokenizer(source);
  OrderedJson results = OrderedJson::array();
  ProgressLine progress("pictures", options.common.quiet);
  int64_t written = 0;
  CaptionListener listener;
  listener.on_caption = [&](const std::string& image, const Caption& caption) {
    if (options.common.json) {
      results.push_back({{"image", image}, {"caption", caption.text}, {"ids", caption.ids}});
    } else {
      progress.clear();
      print(printable(image) + "\t" + printable(caption.text) + "\n");
    }
    progress.update(++written);
  };
  listener.on_skipped = [&](const std::string& problem) {
    progress.clear();
    tell(problem);
  };
  const int64_t skipped = caption_images(context, *model, *tokenizer, options.request, listener);
  progress.clear();
  if (options.common.json)
    print(results.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  return skipped > 0 ? 1 : 0;
}

}  // namespace

void add_caption(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("caption", "what a CoCa writes about pictures");
  const auto options = std::make_shared<CaptionOptions>();
  GenerationOptions& generation = options->request.generation;
  add_common_options(*command, options->common);
  command->add_option("images", options->request.images, "picture files, folders or tar archives")
      ->required()
      ->type_name("IMAGE");
  command
      ->add_option("--beams", generation.num_beams, "captions that beam search follows at a time")
      ->capture_default_str();
  command
      ->add_option("--beam-groups", generation.num_beam_groups,
                   "groups of beams; --beams / --beam-groups are in effect")
      ->capture_default_str();
  command->add_option("--top-k", options->top_k, "draw from the K best words; 1 = greedy")
      ->type_name("K");
  command
      ->add_option("--top-p", options->top_p,
                   "draw from the best words that have the probability P together")
      ->type_name("P");
  command->add_option("--temperature", generation.temperature, "of drawing; above 1 is bolder")
      ->capture_default_str();
  command->add_option("--seed", generation.seed, "of drawing; the same seed gives the same words")
      ->capture_default_str();
  command
      ->add_option("--max-length", generation.seq_len,
                   "tokens of a caption at most, start and end included")
      ->capture_default_str();
  command
      ->add_option("--min-length", generation.min_seq_len, "tokens before the end token at least")
      ->capture_default_str();
  command
      ->add_option("--repetition-penalty", generation.repetition_penalty,
                   "above 1 keeps words from coming again")
      ->capture_default_str();
  command->footer(kCaptionFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_caption(*options); }; });
}

}  // namespace openclip
