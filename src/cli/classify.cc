// openclip classify: zero-shot labels with probabilities.
#include <algorithm>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/jsonl_writer.h"
#include "models/preprocess_config.h"
#include "tasks/image_stream.h"
#include "tasks/label_vectors.h"
#include "tasks/labels.h"
#include "tasks/picture_encoder.h"
#include "tasks/templates.h"
#include "tasks/zero_shot.h"

namespace openclip {
namespace {

constexpr const char* kClassifyFooter =
    "\nScores are the softmax over the labels; of models with a bias (SigLIP) each label's own "
    "sigmoid,\n"
    "which do not sum to 100 %.\n"
    "\nExamples:\n"
    "  openclip classify cat.png --labels \"cat,dog,fish\"\n"
    "  openclip classify *.png --top 3 --language zh          (the shipped model's own labels)\n"
    "  openclip classify photo.jpg --labels-file names.txt --templates openai --json \\\n"
    "      --model ViT-B-32 --pretrained laion2b_s34b_b79k";

constexpr size_t kBatch = 16;

// Fewer prompts than these take the text tower less time than a file in the cache is worth.
constexpr size_t kPromptsWorthKeeping = 32;

struct ClassifyOptions {
  CommonOptions common;
  std::vector<std::string> images;
  std::string labels, labels_file, language, template_set;
  std::vector<std::string> templates;
  int top = 5;
};

struct Answer {
  std::string image;
  std::vector<ScoredLabel> labels;
};

std::vector<std::string> choose_labels(const ClassifyOptions& options, const ModelSource& source) {
  if (!options.labels.empty()) return usage([&] { return split_labels(options.labels); });
  if (!options.labels_file.empty()) return read_labels(options.labels_file);
  return model_labels(source.folder, options.language);
}

// Without a template the label is the prompt, as in open_clip's own examples.
std::vector<std::string> choose_templates(const ClassifyOptions& options) {
  std::vector<std::string> templates = with_template_set(options.templates, options.template_set);
  if (templates.empty()) templates = {"{}"};
  usage([&] { check_templates(templates); });
  return templates;
}

std::string percent(double score) { return fmt::format("{:6.2f} %", 100 * score); }

std::string table(const Answer& answer) {
  int columns = 0;
  for (const ScoredLabel& item : answer.labels)
    columns = std::max(columns, display_width(printable(item.label)));
  std::string text = printable(answer.image) + "\n";
  for (const ScoredLabel& item : answer.labels)
    text += "  " + pad_right(printable(item.label), columns) + "  " + percent(item.score) + "\n";
  return text;
}

OrderedJson to_json(const Answer& answer) {
  OrderedJson labels = OrderedJson::array();
  for (const ScoredLabel& item : answer.labels)
    labels.push_back({{"label", item.label}, {"score", item.score}});
  return {{"image", answer.image}, {"labels", labels}};
}

// Hands out answers as they come; JSON is one array, printed in pieces.
class AnswerPrinter {
 public:
  explicit AnswerPrinter(bool json) : json_(json) {}
  void add(const Answer& answer) {
    if (json_)
      print((count_ > 0 ? ",\n " : "[") + json_line(to_json(answer)));
    else
      print((count_ > 0 ? "\n" : "") + table(answer));
    ++count_;
  }
  void finish() {
    if (json_) print(count_ > 0 ? "]\n" : "[]\n");
  }

 private:
  bool json_;
  size_t count_ = 0;
};

// Loads the model and gets the labels' vectors: from disk, where the same labels were used before
// (the text tower is then not even read), else from the text tower. Vectors of f32 serve every
// precision, others are not kept for it; so with the precision that is the model's own.
ZeroShotClassifier make_classifier(const CommonOptions& options, const ModelSource& source,
                                   const std::vector<std::string>& labels,
                                   const std::vector<std::string>& templates,
                                   std::shared_ptr<const Model>* model) {
  const Context context = options.context();
  const auto compute = [&] {
    *model = load_model(context, source);
    CutTexts cut;
    ZeroShotClassifier classifier(context, **model, *load_tokenizer(options, source), labels,
                                  templates, &cut);
    if (!options.quiet) tell_cut(cut, source.config.text.context_length);
    return classifier;
  };
  if (source.weights.empty() || labels.size() * templates.size() < kPromptsWorthKeeping)
    return compute();
  fetch_tokenizer(options, source);  // its files are part of the key
  const std::string key = label_vectors_key(source, labels, templates);
  if (auto vectors = find_label_vectors(source, key, labels.size())) {
    *model = load_model(context, source, {.towers = Towers::image_only});
    return {labels, std::move(*vectors), **model};
  }
  ZeroShotClassifier classifier = compute();
  if ((*model)->precision() == source.config.precision)
    keep_label_vectors(source, key, classifier.vectors());
  return classifier;
}

int classify(const ClassifyOptions& options) {
  const ModelSource source = find_model(options.common, Need::weights);
  const std::vector<std::string> labels = choose_labels(options, source);
  const std::vector<std::string> templates = choose_templates(options);
  const Context context = options.common.context();
  // Decoding of the pictures runs while the model is loaded and the labels are computed.
  ImageStream stream(context, preprocess_config(source.config), options.images, 2 * kBatch);
  std::shared_ptr<const Model> model;
  const ZeroShotClassifier classifier =
      make_classifier(options.common, source, labels, templates, &model);

  const auto top = static_cast<size_t>(options.top);
  AnswerPrinter printer(options.common.json);
  PictureEncoder encoder(
      kBatch, static_cast<size_t>(source.config.embed_dim),
      [&](const float* pixels, int64_t count, float* features) {
        model->encode_image(context, pixels, count, features);
      },
      [&](const ImageRef& ref, std::span<const float> features) {
        printer.add({ref.name, classifier.top(features, top)});
      });
  int code = 0;
  while (std::optional<PreparedImage> image = stream.next()) {
    if (image->problem.empty()) {
      encoder.add(std::move(*image));
      continue;
    }
    tell(image->problem);
    code = 1;
  }
  encoder.finish();
  printer.finish();
  return code;
}

}  // namespace

void add_classify(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("classify", "which of some labels suits each picture");
  const auto options = std::make_shared<ClassifyOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  add_context_length(*command, options->common);
  command->add_option("images", options->images, "picture files, folders or tar archives")
      ->required()
      ->type_name("IMAGE");
  auto* labels = command->add_option("--labels", options->labels, "labels, separated by commas");
  auto* file = command->add_option("--labels-file", options->labels_file, "one label per line");
  auto* language = command->add_option("--language", options->language,
                                       "language of the model's own labels: en, zh");
  labels->excludes(file)->excludes(language);
  file->excludes(language);
  command
      ->add_option("--template", options->templates,
                   "prompt with {} for the label; may repeat (default: the label itself)")
      ->take_all()
      ->expected(1)
      ->type_name("T");
  command->add_option("--templates", options->template_set,
                      "a set of prompts: openai (80), simple (7)");
  command->add_option("--top", options->top, "labels to show of each picture")
      ->capture_default_str()
      ->in_range(1, 1'000'000);
  command->footer(kClassifyFooter);
  command->callback([&chosen, options, labels] {
    if (labels->count() > 0 && options->labels.empty())
      throw UsageError("--labels is empty; write --labels a,b,c");
    chosen = [options] { return classify(*options); };
  });
}

}  // namespace openclip
