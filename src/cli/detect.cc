// openclip detect: boxes of what some labels name.
#include "tasks/detect.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "image/encode_png.h"
#include "io/jsonl_writer.h"
#include "tasks/annotate.h"
#include "tasks/dense_names.h"
#include "tasks/detection_json.h"
#include "tasks/image_stream.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

constexpr const char* kDetectFooter =
    "\nBoxes are [x0, y0, x1, y1] in pixels. --coco prints COCO's result format: image_id is the "
    "picture's\n"
    "place in the list, category_id the label's, both from 1; bbox is [x, y, width, height].\n"
    "\nExamples:\n"
    "  openclip detect street.png --labels \"car,house,umbrella\" --out boxes.png\n"
    "  openclip detect *.jpg --labels-file names.txt --coco --model ViT-B-16 --pretrained openai\n"
    "  openclip detect photo.jpg --labels \"a cat,a dog\" --model google-owlvit-base-patch32/";

struct DetectCommand {
  CommonOptions common;
  std::vector<std::string> images;
  std::string labels, labels_file, like, out, method = "windows", reading = "auto";
  std::optional<double> threshold;
  DetectOptions options;
  bool coco = false;
};

OrderedJson to_json(const std::string& image, const std::vector<Detection>& found) {
  OrderedJson list = OrderedJson::array();
  for (const Detection& one : found) list.push_back(detection_json(one));
  return {{"image", image}, {"detections", list}};
}

OrderedJson to_coco(size_t image, const Detection& found) {
  OrderedJson box = box_json(found);
  box[2] = std::round((found.box[2] - found.box[0]) * 100) / 100;
  box[3] = std::round((found.box[3] - found.box[1]) * 100) / 100;
  return {{"image_id", image},
          {"category_id", found.label_index + 1},
          {"bbox", box},
          {"score", found.score}};
}

std::string table(const std::string& image, const std::vector<Detection>& found) {
  int columns = 0;
  for (const Detection& one : found)
    columns = std::max(columns, display_width(printable(one.label)));
  std::string text = printable(image) + "\n";
  if (found.empty()) text += "  nothing found\n";
  for (const Detection& one : found)
    text += fmt::format("  {}  {:6.2f} %  [{:.0f}, {:.0f}, {:.0f}, {:.0f}]\n",
                        pad_right(printable(one.label), columns), 100 * one.score, one.box[0],
                        one.box[1], one.box[2], one.box[3]);
  return text;
}

// JSON is one array, printed in pieces.
class FoundPrinter {
 public:
  explicit FoundPrinter(const DetectCommand& command) : command_(command) {}

  void add(const std::string& image, const std::vector<Detection>& found) {
    ++images_;
    if (command_.coco) {
      for (const Detection& one : found) element(json_line(to_coco(images_, one)));
    } else if (command_.common.json) {
      element(json_line(to_json(image, found)));
    } else {
      print((images_ > 1 ? "\n" : "") + table(image, found));
    }
  }
  /// A picture that could not be read still has its number.
  void skip() { ++images_; }
  void finish() {
    if (command_.coco || command_.common.json) print(elements_ > 0 ? "]\n" : "[]\n");
  }

 private:
  void element(const std::string& text) { print((elements_++ > 0 ? ",\n " : "[") + text); }

  const DetectCommand& command_;
  size_t images_ = 0, elements_ = 0;
};

// What is searched for: labels, or what an example is called.
std::vector<std::string> choose_labels(const DetectCommand& command) {
  if (!command.like.empty()) return {std::filesystem::path(command.like).filename().string()};
  if (command.labels.empty()) return read_labels(command.labels_file);
  return usage([&] { return split_labels(command.labels); });
}

int detect(const DetectCommand& command) {
  const std::vector<std::string> labels = choose_labels(command);
  std::optional<Image> example;
  if (!command.like.empty()) example = load_picture(command.like);
  const Context context = command.common.context();
  const ModelSource source = find_model(command.common, Need::weights);
  const auto detector =
      make_detector(context, source, load_model(context, source), load_tokenizer(source));
  ImageSource images(command.images);
  FoundPrinter printer(command);
  int code = 0;
  while (std::optional<ImageRef> ref = images.next()) {
    const LoadedImage loaded = load_image(std::move(*ref));
    if (!loaded.problem.empty()) {
      tell(loaded.problem);
      printer.skip();
      code = 1;
      continue;
    }
    const std::vector<Detection> found = usage([&] {
      return example ? detector->detect_like(context, loaded.image, *example, labels[0],
                                             command.options)
                     : detector->detect(context, loaded.image, labels, command.options);
    });
    if (!command.out.empty()) write_png(command.out, annotated(loaded.image, found));
    printer.add(loaded.ref.name, found);
  }
  printer.finish();
  return code;
}

}  // namespace

void add_detect(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("detect", "boxes of what some labels name");
  const auto options = std::make_shared<DetectCommand>();
  add_common_options(*command, options->common);
  command->add_option("images", options->images, "picture files, folders or tar archives")
      ->required()
      ->type_name("IMAGE");
  auto* labels = command->add_option("--labels", options->labels, "labels, separated by commas");
  auto* file = command->add_option("--labels-file", options->labels_file, "one label per line");
  auto* like =
      command
          ->add_option("--like", options->like,
                       "a picture of what to look for, in place of labels (OWL-ViT, OWLv2)")
          ->type_name("IMAGE");
  labels->excludes(file)->excludes(like);
  file->excludes(like);
  command->add_option("--out", options->out, "the picture with its boxes drawn; one picture only")
      ->type_name("F.png");
  command
      ->add_option("--threshold", options->options.threshold,
                   "least score, between 0 and 1 (default: the model's own)")
      ->type_name("P");
  command
      ->add_option(
          "--method", options->method,
          "how a CLIP searches: windows (of several sizes, slower, better) or dense (every "
          "place of one map)")
      ->capture_default_str()
      ->one_of({"windows", "dense"});
  add_dense_reading(*command, options->reading);
  command
      ->add_option("--smallest", options->options.smallest,
                   "side of the smallest window, as a part of the picture's shorter side")
      ->capture_default_str()
      ->in_range(0.02, 1.0);
  command
      ->add_option("--overlap", options->options.overlap,
                   "intersection over union from which of two boxes of a label the worse is left "
                   "out; 1 = none (OWL-ViT and OWLv2, default 0.5)")
      ->in_range(0.0, 1.0)
      ->type_name("P");
  command->add_option("--most", options->options.most, "detections of a picture")
      ->capture_default_str()
      ->in_range(1, 100'000);
  command->add_flag("--coco", options->coco, "COCO's result format on stdout");
  command->footer(kDetectFooter);
  command->callback([&chosen, options, labels] {
    if (options->labels.empty() && options->labels_file.empty() && options->like.empty())
      throw UsageError(labels->count() > 0
                           ? "--labels is empty; write --labels a,b,c"
                           : "--labels, --labels-file or --like says what to look for");
    if (!options->out.empty() && options->images.size() > 1)
      throw UsageError(
          fmt::format("--out draws one picture, but {} are given", options->images.size()));
    options->options.method =
        options->method == "dense" ? DetectMethod::dense : DetectMethod::windows;
    options->options.reading = dense_reading_of(options->reading);
    chosen = [options] { return detect(*options); };
  });
}

}  // namespace openclip
