#include "cli/options.h"

#include "cli/download_progress.h"
#include "cli/output.h"
#include "kernels/isa.h"
#include "models/tokenizer_source.h"
#include "tasks/dense_names.h"
#include "tasks/labels.h"

namespace openclip {

void add_common_options(Command& command, CommonOptions& options) {
  command
      .add_option("--model", options.model.model,
                  "NAME (see 'models list'), DIR, CONFIG.json, hf-hub:ORG/REPO[@REVISION] or "
                  "local-dir:DIR; without it the shipped model")
      ->type_name("MODEL");
  command
      .add_option("--pretrained", options.model.pretrained,
                  "weights: a tag of the model (see 'models info NAME') or a file (safetensors, "
                  ".pt, .pth, .bin)")
      ->type_name("TAG|FILE");
  command
      .add_option("--precision", options.precision,
                  "f32 (default; int8 for a quantised model), bf16, int8, or auto: the fastest of "
                  "this processor that keeps cosines to three digits")
      ->type_name("P");
  command.add_option("--threads", options.threads, "threads to use; 0 = all cores")
      ->in_range(0, 1024);
  command.add_flag("--json", options.json, "results as JSON");
  command.add_flag("--quiet", options.quiet, "errors only on stderr");
}

void add_image_size(Command& command, CommonOptions& options) {
  command
      .add_option("--image-size", options.model.image_size,
                  "pixels of a picture's side in place of the model's; its positions are resized")
      ->type_name("N");
}

void add_context_length(Command& command, CommonOptions& options) {
  command
      .add_option("--context-length", options.model.context_length,
                  "tokens of a text in place of the model's; its positions are resized")
      ->type_name("N");
}

void add_dense_reading(Command& command, std::string& reading) {
  command
      .add_option("--dense-reading", reading,
                  "how places are read: auto; of a ViT clearclip, naclip, sclip or values; of a "
                  "ResNet pooled or values")
      ->capture_default_str()
      ->one_of(dense_reading_names());
}

namespace {

// What `auto` picks, which is told where something will be computed.
Precision best_precision(const CommonOptions& options, const ModelSource& source, Need need) {
  const bool quantised = source.config.precision == Precision::int8;
  const bool has_bf16 = kernels::dot_products().bf16;
  const Precision best = quantised ? Precision::int8 : has_bf16 ? Precision::bf16 : Precision::f32;
  if (!options.quiet && need == Need::weights)
    tell(fmt::format("note: precision {}: {}", precision_name(best),
                     quantised  ? "the model is quantised"
                     : has_bf16 ? "this processor multiplies bfloat16"
                                : "this processor has no bfloat16 instructions"));
  return best;
}

}  // namespace

ModelSource find_model(const CommonOptions& options, Need need) {
  if (!options.precision.empty() && options.precision != "auto" &&
      !precision_from_name(options.precision))
    throw UsageError("--precision must be auto, f32, bf16 or int8, got '" + options.precision +
                     "'");
  DownloadProgress progress(options.quiet);
  ModelRequest request = options.model;
  request.fetch = {.allowed = true, .weights = need == Need::weights, .observer = &progress};
  ModelSource source = usage([&] { return find_model(request); });
  source.precision = options.precision == "auto" ? best_precision(options, source, need)
                                                 : precision_from_name(options.precision);
  if (!options.quiet)
    for (const std::string& note : source.notes) tell("note: " + note);
  return source;
}

std::unique_ptr<const Tokenizer> load_tokenizer(const CommonOptions& options,
                                                const ModelSource& source) {
  DownloadProgress progress(options.quiet);
  return load_tokenizer(source, {.allowed = true, .observer = &progress});
}

void fetch_tokenizer(const CommonOptions& options, const ModelSource& source) {
  if (source.config.text.hf_tokenizer_name.empty()) return;
  DownloadProgress progress(options.quiet);
  find_tokenizer_folder(source, {.allowed = true, .observer = &progress});
}

void tell_cut(const CutTexts& cut, int context_length) {
  constexpr size_t kShown = 60;  // bytes of a text
  if (cut.count == 0) return;
  std::string text = cut.longest.substr(0, kShown);
  if (cut.longest.size() > kShown) text += "...";
  const std::string whose =
      cut.count == 1 ? fmt::format("the text '{}' was", text)
                     : fmt::format("{} texts were, the longest of them '{}',", cut.count, text);
  tell(fmt::format("note: {} cut to the model's {} tokens; {} more did not fit", whose,
                   context_length, cut.most_tokens));
}

std::vector<std::string> collect_texts(const std::vector<std::string>& texts,
                                       const std::string& text_file) {
  std::vector<std::string> all = texts;
  if (!text_file.empty())
    for (std::string& line : read_lines(text_file)) all.push_back(std::move(line));
  return all;
}

}  // namespace openclip
