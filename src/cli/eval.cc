// openclip eval: zero-shot benchmarks, linear probes, and a page that compares their results.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/jsonl_writer.h"
#include "tasks/eval/evaluate.h"
#include "tasks/eval/report.h"
#include "tasks/templates.h"

namespace openclip {
namespace {

constexpr const char* kEvalFooter =
    "\nDATA is a folder in CLIP_benchmark's layout (SPLIT/nshards.txt, SPLIT/0.tar …), a folder of "
    "class\n"
    "folders (ImageNet and its robustness sets), or a .json of captions (COCO's, Karpathy's).\n"
    "Results are CLIP_benchmark's JSON, with 95 % confidence intervals.\n"
    "\nExamples:\n"
    "  openclip eval zeroshot imagenet/val --classes names.json --templates openai --out "
    "result.json\n"
    "  openclip eval retrieval dataset_coco.json --images coco/ --recall-k 1 --recall-k 5\n"
    "  openclip eval linear-probe flowers/ --train-split train --split test\n"
    "  openclip eval report results/*.json --out report.html";

struct EvalOptions {
  CommonOptions common;
  EvalDatasetOptions dataset;
  std::string data, out, template_set, train_split = "train";
  std::string language = "en";
  std::vector<std::string> templates;
  std::vector<int> recall_k = {1, 5, 10};
  LinearProbeOptions probe;
};

std::string score_text(double value) {
  return std::isnan(value) ? "–" : fmt::format("{:.2f} %", 100 * value);
}

std::string table(const EvalResult& result) {
  size_t widest = 0;
  for (const auto& metric : result.metrics) widest = std::max(widest, metric.first.size());
  std::string text =
      fmt::format("{}, {} samples of {}\n", result.task, result.samples, printable(result.dataset));
  for (const auto& [name, estimate] : result.metrics) {
    if (name == "c")
      text += fmt::format("  {:<{}}  {:.3g}\n", name, widest, estimate.value);
    else
      text += fmt::format(
          "  {:<{}}  {}{}\n", name, widest, score_text(estimate.value),
          std::isnan(estimate.low)
              ? ""
              : fmt::format("  ({} to {})", score_text(estimate.low), score_text(estimate.high)));
  }
  return text;
}

std::vector<std::string> choose_templates(const EvalOptions& options, const EvalDataset& dataset) {
  std::vector<std::string> templates = with_template_set(options.templates, options.template_set);
  if (templates.empty()) templates = dataset.templates;
  if (templates.empty()) templates = {"a photo of a {}."};
  usage([&] { check_templates(templates); });
  return templates;
}

// Finds the model, runs `evaluate` with a progress line, and hands the result out.
template <class Evaluate>
int run(const EvalOptions& options, Towers towers, const Evaluate& evaluate) {
  const ModelSource source = find_model(options.common, Need::weights);
  const Context context = options.common.context();
  EvalDataset dataset = open_eval_dataset(options.data, options.dataset);
  const auto model = load_model(context, source, {.towers = towers});
  ProgressLine progress("samples", options.common.quiet);
  EvalListener listener;
  listener.on_samples = [&](int64_t samples) { progress.update(samples); };
  listener.on_skipped = [&](const std::string& problem) {
    progress.clear();
    tell(problem);
  };
  EvalResult result = usage([&] { return evaluate(context, source, *model, dataset, listener); });
  progress.clear();
  result.dataset = dataset.name;
  result.split = options.dataset.split;
  result.language = options.language;
  result.model = source.config.name;
  result.pretrained = options.common.model.pretrained;
  const OrderedJson json = to_json(result);
  if (!options.out.empty()) write_file_atomic(options.out, json_line(json) + "\n");
  if (options.common.json)
    print(json_line(json) + "\n");
  else
    print(table(result));
  return result.skipped > 0 ? 1 : 0;
}

int run_zero_shot(const EvalOptions& options) {
  return run(options, Towers::both,
             [&](const Context& context, const ModelSource& source, const Model& model,
                 EvalDataset& dataset, const EvalListener& listener) {
               return evaluate_zero_shot(context, model, *load_tokenizer(options.common, source),
                                         dataset, choose_templates(options, dataset), listener);
             });
}

int run_retrieval(const EvalOptions& options) {
  return run(options, Towers::both,
             [&](const Context& context, const ModelSource& source, const Model& model,
                 EvalDataset& dataset, const EvalListener& listener) {
               return evaluate_retrieval(context, model, *load_tokenizer(options.common, source),
                                         dataset, options.recall_k, listener);
             });
}

int run_linear_probe(const EvalOptions& options) {
  return run(options, Towers::image_only,
             [&](const Context& context, const ModelSource&, const Model& model, EvalDataset& test,
                 const EvalListener& listener) {
               EvalDatasetOptions train_options = options.dataset;
               train_options.split = options.train_split;
               EvalDataset train = open_eval_dataset(options.data, train_options);
               return evaluate_linear_probe(context, model, train, test, options.probe, listener);
             });
}

void add_dataset_options(Command& command, EvalOptions& options) {
  add_common_options(command, options.common);
  add_image_size(command, options.common);
  command.add_option("data", options.data, "the data set")->required()->type_name("DATA");
  command.add_option("--split", options.dataset.split, "which part of it (test)");
  command.add_option("--out", options.out, "the result as JSON, also into this file")
      ->type_name("F.json");
}

void add_classes(Command& command, EvalOptions& options) {
  command
      .add_option("--classes", options.dataset.classes_file,
                  "names of the classes: a file of lines, or a .json {folder: name}")
      ->type_name("FILE");
}

Command* add(Command& eval, const char* name, const char* what, ChosenCommand& chosen,
             const std::shared_ptr<EvalOptions>& options, int (*run_it)(const EvalOptions&)) {
  Command* command = eval.add_subcommand(name, what);
  add_dataset_options(*command, *options);
  command->callback([&chosen, options, run_it] { chosen = [=] { return run_it(*options); }; });
  return command;
}

struct ReportOptions {
  std::vector<std::string> results;
  std::string out, title = "Zero-shot evaluation";
};

int run_report(const ReportOptions& options) {
  std::vector<EvalResult> results;
  for (const std::string& path : options.results)
    results.push_back(eval_result_from_json(path, read_json_file(path)));
  write_file_atomic(options.out, eval_report(options.title, results));
  tell(fmt::format("{} results in {}", results.size(), options.out));
  return 0;
}

void add_report(Command& eval, ChosenCommand& chosen) {
  Command* report = eval.add_subcommand("report", "a page that compares results of several models");
  const auto options = std::make_shared<ReportOptions>();
  report->add_option("results", options->results, "results, as --out writes them")
      ->required()
      ->type_name("F.json");
  report->add_option("--out", options->out, "the page, in one file")
      ->required()
      ->type_name("F.html");
  report->add_option("--title", options->title, "its heading");
  report->callback([&chosen, options] { chosen = [options] { return run_report(*options); }; });
}

}  // namespace

void add_eval(Command& app, ChosenCommand& chosen) {
  Command* eval =
      app.add_subcommand("eval", "how good a model is: zero-shot, retrieval, linear probe");
  eval->require_subcommand(1);
  eval->footer(kEvalFooter);
  const auto options = std::make_shared<EvalOptions>();
  Command* zero_shot =
      add(*eval, "zeroshot", "name pictures by the classes' names", chosen, options, run_zero_shot);
  add_classes(*zero_shot, *options);
  add_context_length(*zero_shot, options->common);
  zero_shot->add_option("--template", options->templates, "a prompt with {} for the class; repeat");
  zero_shot->add_option("--templates", options->template_set, "a set of prompts: openai, simple");
  zero_shot->add_option("--language", options->language, "of the classes' names, for the result");
  Command* retrieval = add(*eval, "retrieval", "find pictures by captions and the reverse", chosen,
                           options, run_retrieval);
  add_context_length(*retrieval, options->common);
  retrieval->add_option("--images", options->dataset.images, "folder of a caption file's pictures")
      ->type_name("DIR");
  retrieval->add_option("--recall-k", options->recall_k, "share found among the first K; repeat");
  Command* probe = add(*eval, "linear-probe", "logistic regression on image features", chosen,
                       options, run_linear_probe);
  add_classes(*probe, *options);
  probe->add_option("--train-split", options->train_split, "part to train on (train)");
  probe->add_option("--c", options->probe.c, "inverse strength of the penalty; 0 = search (0)")
      ->not_negative();
  probe->add_option("--shots", options->probe.shots, "training pictures a class; 0 = all (0)")
      ->not_negative();
  probe->add_option("--seed", options->probe.seed, "of the choice of pictures (0)");
  add_report(*eval, chosen);
}

}  // namespace openclip
