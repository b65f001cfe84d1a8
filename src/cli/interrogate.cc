// openclip interrogate: words and a prompt for a picture.
#include "tasks/interrogate.h"

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/jsonl_writer.h"
#include "models/preprocess_config.h"
#include "tasks/image_stream.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

constexpr const char* kInterrogateFooter =
    "\nScores are cosine similarities. The first list says what the prompt begins with: the "
    "shipped "
    "subjects\n"
    "(of a model with labels of its own, those), or the first --words file.\n"
    "\nExamples:\n"
    "  openclip interrogate picture.png\n"
    "  openclip interrogate *.jpg --mode fast --json --model ViT-L-14 --pretrained openai\n"
    "  openclip interrogate shoe.jpg --words products.txt --words materials.txt";

struct InterrogateCommand {
  CommonOptions common;
  std::vector<std::string> images, words;
  std::string mode = "best";
  InterrogateOptions options;
};

// The user's lists, or the shipped ones; there the subjects are what the model was trained to name,
// where it says so.
std::vector<WordList> choose_lists(const InterrogateCommand& command, const ModelSource& source) {
  std::vector<WordList> lists;
  for (const std::string& path : command.words) lists.push_back(read_word_list(path));
  if (!lists.empty()) return lists;
  lists = shipped_word_lists();
  try {
    lists[0].words = model_labels(source.folder, "");
  } catch (const NotFound&) {
    // it has none: the shipped subjects
  }
  return lists;
}

OrderedJson to_json(const std::string& image, const Interrogation& found) {
  OrderedJson lists = OrderedJson::object();
  for (const NearestWords& nearest : found.nearest) {
    OrderedJson words = OrderedJson::array();
    for (const ScoredLabel& word : nearest.words)
      words.push_back({{"word", word.label}, {"score", word.score}});
    lists[nearest.list] = words;
  }
  return {{"image", image},
          {"prompt", found.prompt},
          {"similarity", found.similarity},
          {"words", lists}};
}

std::string table(const std::string& image, const Interrogation& found) {
  std::string text = fmt::format("{}\n  {}\n", printable(image), printable(found.prompt));
  for (const NearestWords& nearest : found.nearest) {
    std::string words;
    for (const ScoredLabel& word : nearest.words)
      words +=
          fmt::format("{}{} {:.3f}", words.empty() ? "" : ", ", printable(word.label), word.score);
    text += fmt::format("  {}: {}\n", printable(nearest.list), words);
  }
  return text;
}

int interrogate(const InterrogateCommand& command) {
  const Context context = command.common.context();
  const ModelSource source = find_model(command.common, Need::weights);
  const std::vector<WordList> lists = choose_lists(command, source);
  const PreprocessConfig config = preprocess_config(source.config);
  const auto model = load_model(context, source);
  const auto tokenizer = load_tokenizer(source);
  const Interrogator interrogator(context, source, *model, *tokenizer, lists);
  ImageStream stream(context, config, command.images, 4);
  std::vector<float> feature(static_cast<size_t>(source.config.embed_dim));
  int code = 0;
  size_t count = 0;
  while (std::optional<PreparedImage> image = stream.next()) {
    if (!image->problem.empty()) {
      tell(image->problem);
      code = 1;
      continue;
    }
    model->encode_image(context, image->pixels.data(), 1, feature.data());
    const Interrogation found = interrogator.interrogate(context, feature, command.options);
    if (command.common.json)
      print((count > 0 ? ",\n " : "[") + json_line(to_json(image->ref.name, found)));
    else
      print((count > 0 ? "\n" : "") + table(image->ref.name, found));
    ++count;
  }
  if (command.common.json) print(count > 0 ? "]\n" : "[]\n");
  return code;
}

PromptMode mode_of(const std::string& name) {
  return name == "classic" ? PromptMode::classic
         : name == "fast"  ? PromptMode::fast
                           : PromptMode::best;
}

}  // namespace

void add_interrogate(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("interrogate", "words and a prompt for a picture");
  const auto options = std::make_shared<InterrogateCommand>();
  add_common_options(*command, options->common);
  command->add_option("images", options->images, "picture files, folders or tar archives")
      ->required()
      ->type_name("IMAGE");
  command
      ->add_option("--words", options->words,
                   "a list of your own, one word or phrase per line, in place of the shipped ones; "
                   "may repeat")
      ->take_all()
      ->expected(1)
      ->type_name("F");
  command
      ->add_option("--mode", options->mode,
                   "best (word by word, while the whole gets more alike), fast (the best words) or "
                   "classic (the best of each list)")
      ->capture_default_str()
      ->one_of({"best", "fast", "classic"});
  command->add_option("--top", options->options.top, "words to show of each list")
      ->capture_default_str()
      ->in_range(1, 1000);
  command->add_option("--most-words", options->options.most_words, "words of the prompt")
      ->capture_default_str()
      ->in_range(1, 64);
  command->footer(kInterrogateFooter);
  command->callback([&chosen, options] {
    options->options.mode = mode_of(options->mode);
    chosen = [options] { return interrogate(*options); };
  });
}

}  // namespace openclip
