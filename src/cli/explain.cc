// openclip explain: which parts of a picture speak for a text.
#include "tasks/explain.h"

#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "image/encode_png.h"
#include "io/jsonl_writer.h"
#include "models/preprocess_config.h"
#include "tasks/dense_names.h"
#include "tasks/image_stream.h"

namespace openclip {
namespace {

constexpr const char* kExplainFooter =
    "\nHeat is a difference of cosine similarities: how much more the text is found at a place "
    "than "
    "texts\n"
    "that say nothing. A word's weight is how much the similarity of the whole picture falls "
    "without "
    "it.\n"
    "\nExamples:\n"
    "  openclip explain street.png --text \"a red car\" --out heat.png\n"
    "  openclip explain photo.jpg --text \"a cat\" --json --method dense --model ViT-B-16 "
    "--pretrained openai";

struct ExplainCommand {
  CommonOptions common;
  std::string image, text, out, method = "windows", reading = "auto";
};

ExplainMethod method_of(const std::string& name) {
  return name == "dense"       ? ExplainMethod::dense
         : name == "occlusion" ? ExplainMethod::occlusion
                               : ExplainMethod::windows;
}

// The middle of the hottest place, in pixels.
std::array<double, 2> hottest_of(const HeatMap& heat, const Image& image) {
  const int place = heat.hottest();
  return {(place % heat.cols + 0.5) * image.width / heat.cols,
          (place / heat.cols + 0.5) * image.height / heat.rows};
}

double rounded_weight(double value) { return std::round(value * 1e5) / 1e5; }

OrderedJson to_json(const ExplainCommand& command, const Explanation& found,
                    const std::vector<WordWeight>& words, const std::array<double, 2>& hottest) {
  OrderedJson rows = OrderedJson::array(), weights = OrderedJson::array();
  for (int y = 0; y < found.heat.rows; ++y) {
    OrderedJson row = OrderedJson::array();
    for (int x = 0; x < found.heat.cols; ++x) row.push_back(rounded_weight(found.heat.at(y, x)));
    rows.push_back(std::move(row));
  }
  for (const WordWeight& word : words)
    weights.push_back({{"word", word.word}, {"weight", rounded_weight(word.weight)}});
  return {{"image", command.image},
          {"text", command.text},
          {"similarity", rounded_weight(found.similarity)},
          {"hottest", {rounded_weight(hottest[0]), rounded_weight(hottest[1])}},
          {"words", weights},
          {"heat", rows}};
}

std::string table(const ExplainCommand& command, const Explanation& found,
                  const std::vector<WordWeight>& words, const std::array<double, 2>& hottest) {
  int columns = 0;
  for (const WordWeight& word : words)
    columns = std::max(columns, display_width(printable(word.word)));
  std::string text =
      fmt::format("{}\n  similarity {:.4f}, hottest place ({:.0f}, {:.0f})\n",
                  printable(command.image), found.similarity, hottest[0], hottest[1]);
  for (const WordWeight& word : words)
    text += fmt::format("  {}  {:+.4f}\n", pad_right(printable(word.word), columns), word.weight);
  return text;
}

int explain(const ExplainCommand& command) {
  const Context context = command.common.context();
  const ModelSource source = find_model(command.common, Need::weights);
  const Image image = load_picture(command.image);
  const auto model = load_model(context, source);
  const auto tokenizer = load_tokenizer(source);
  const ExplainModel asked{*model, *tokenizer, preprocess_config(source.config)};
  const Explanation found = explain_image(
      context, asked, image, command.text,
      {.method = method_of(command.method), .reading = dense_reading_of(command.reading)});
  const std::vector<WordWeight> words = explain_words(context, asked, image, command.text);
  if (!command.out.empty()) write_png(command.out, heat_overlay(image, found.heat));
  const auto hottest = hottest_of(found.heat, image);
  print(command.common.json ? json_line(to_json(command, found, words, hottest)) + "\n"
                            : table(command, found, words, hottest));
  return 0;
}

}  // namespace

void add_explain(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("explain", "which parts of a picture speak for a text");
  const auto options = std::make_shared<ExplainCommand>();
  add_common_options(*command, options->common);
  command->add_option("image", options->image, "a picture file")->required()->type_name("IMAGE");
  command->add_option("--text", options->text, "what to look for")->required()->type_name("T");
  command->add_option("--out", options->out, "the picture with the heat laid over it")
      ->type_name("F.png");
  command
      ->add_option("--method", options->method,
                   "windows (of several sizes), dense (every place of one map) or occlusion (what "
                   "is missed when it is greyed)")
      ->capture_default_str()
      ->one_of({"windows", "dense", "occlusion"});
  add_dense_reading(*command, options->reading);
  command->footer(kExplainFooter);
  command->callback([&chosen, options] { chosen = [options] { return explain(*options); }; });
}

}  // namespace openclip
