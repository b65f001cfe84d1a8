// openclip curate: filters picture-text pairs in webdataset shards.
#include "tasks/curate/curate.h"

#include <charconv>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/jsonl_writer.h"
#include "tasks/curate/report.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

constexpr const char* kCurateFooter =
    "\nSHARDS are webdataset tars (img2dataset's output) or folders of them. OUT gets shards/, "
    "which\n"
    "openclip-train reads, columns/ with a line for every pair and why it was left out, "
    "summary.json\n"
    "and report.html. A run that was stopped goes on where it was.\n"
    "\nExamples:\n"
    "  openclip curate downloaded/ --out curated --min-caption 5 --min-bytes 5000 \\\n"
    "      --min-similarity 0.28 --duplicates 0.96 --model ViT-B-32 --pretrained "
    "laion2b_s34b_b79k\n"
    "  openclip curate downloaded/ --out curated --shard 3/16 --aesthetic-head sac.pth \\\n"
    "      --min-aesthetic 5 --model ViT-L-14 --pretrained openai";

struct CurateOptions {
  CommonOptions common;
  CurateRequest request;
  std::string part, tags, rejected;
};

// "3/16", counted from 0.
void choose_part(const std::string& text, CurateRequest& request) {
  if (text.empty()) return;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, request.part);
  const bool ok = first.ec == std::errc() && first.ptr != end && *first.ptr == '/' && [&] {
    const auto last = std::from_chars(first.ptr + 1, end, request.parts);
    return last.ec == std::errc() && last.ptr == end;
  }();
  if (!ok || request.part < 0 || request.parts <= request.part)
    throw UsageError(fmt::format("--shard {}: must be I/N with I from 0 to N-1, as 3/16", text));
}

int run_curate(CurateOptions& options) {
  CurateRequest& request = options.request;
  choose_part(options.part, request);
  usage([&] {
    if (!options.tags.empty()) request.tags = split_labels(options.tags);
    if (!options.rejected.empty()) request.rejected_tags = split_labels(options.rejected);
  });
  if (request.rules.contaminated > 1 && !request.decontaminate.empty())
    request.rules.contaminated = 0.96;
  const ModelSource source = find_model(options.common, Need::weights);
  const Context context = options.common.context();
  const auto model = load_model(context, source);
  const auto tokenizer = load_tokenizer(source);
  ProgressLine progress("pairs", options.common.quiet);
  CurateListener listener;
  listener.on_pairs = [&](int64_t pairs) { progress.update(pairs); };
  listener.on_problem = [&](const std::string& problem) {
    progress.clear();
    tell(problem);
  };
  const CurateSummary result =
      usage([&] { return curate(context, *model, *tokenizer, request, listener); });
  progress.clear();
  write_curate_report(request.out);
  OrderedJson summary = {{"out", request.out},
                         {"shards", result.shards},
                         {"resumed_shards", result.resumed_shards},
                         {"pairs", result.pairs},
                         {"kept", result.kept},
                         {"left_out", OrderedJson(result.left_out)},
                         {"problems", result.problems}};
  if (options.common.json) {
    print(json_line(summary) + "\n");
  } else if (!options.common.quiet) {
    std::string reasons;
    for (const auto& [reason, count] : result.left_out)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "; left out: " : ", ", reason, count);
    tell(fmt::format("kept {} of {} pairs in {}{}", result.kept, result.pairs, request.out,
                     reasons));
  }
  return result.problems > 0 ? 1 : 0;
}

void add_rules(Command& command, CurateRules& rules) {
  command.add_option("--min-side", rules.min_side, "pixels of the shorter side");
  command.add_option("--max-aspect", rules.max_aspect, "longer side / shorter side");
  command.add_option("--min-bytes", rules.min_bytes, "of the picture's file (LAION-400M: 5000)");
  command.add_option("--min-caption", rules.min_caption, "characters (LAION: 5)");
  command.add_option("--max-caption", rules.max_caption, "characters");
  command.add_option("--min-similarity", rules.min_similarity,
                     "cosine of picture and caption (LAION: 0.28, 0.26 or 0.30)");
  command.add_option("--min-aesthetic", rules.min_aesthetic, "score of --aesthetic-head");
  command.add_option("--max-unsafe", rules.max_unsafe,
                     "score of --unsafe-head, or the column punsafe (LAION: 0.5)");
  command.add_option("--max-watermark", rules.max_watermark, "the column pwatermark (LAION: 0.8)");
  command.add_option("--duplicates", rules.duplicate,
                     "cosine from which a later picture is a copy (0.96 for near-copies)");
  command.add_option("--contaminated", rules.contaminated,
                     "cosine from which a picture is one of the test set's (0.96)");
}

}  // namespace

void add_curate(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("curate", "filter picture-text pairs for training");
  const auto options = std::make_shared<CurateOptions>();
  CurateRequest& request = options->request;
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  command->add_option("shards", request.shards, "webdataset tars, or folders of them")
      ->required()
      ->type_name("SHARDS");
  command->add_option("--out", request.out, "folder for shards, columns and report")
      ->required()
      ->type_name("DIR");
  add_rules(*command, request.rules);
  command->add_option("--aesthetic-head", request.aesthetic_head, "LAION's v1 or v2 weights");
  command->add_option("--unsafe-head", request.unsafe_head,
                      "LAION's NSFW head as layers.N weights");
  command->add_option("--tags", options->tags, "zero-shot prompts, separated by commas");
  command->add_option("--reject-tags", options->rejected,
                      "of these, those that leave a picture out");
  command
      ->add_option("--decontaminate", request.decontaminate,
                   "features of a test set, as 'embed' writes them")
      ->type_name("F.npy");
  command->add_flag("--parquet", request.parquet, "write the columns as Parquet, too");
  command->add_option("--image-key", request.image_key,
                      "extensions of pictures (jpg;jpeg;png;webp)");
  command->add_option("--text-key", request.text_key,
                      "extension of captions (txt, else .json's caption)");
  command->add_option("--shard", options->part, "this machine's share: shards I, I+N, I+2N …")
      ->type_name("I/N");
  command->footer(kCurateFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_curate(*options); }; });
}

}  // namespace openclip
