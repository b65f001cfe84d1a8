// openclip bench: how fast the towers are on this machine.
#include <sys/resource.h>

#include <algorithm>

#include "cli/bench_work.h"
#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "kernels/isa.h"
#include "kernels/peak.h"
#include "models/random_weights.h"

namespace openclip {
namespace {

constexpr const char* kBenchFooter =
    "\nWithout --pretrained the weights are random numbers, which take the same time. seconds is "
    "the\n"
    "median of the calls; gflops counts the work of the real tokens, machine_gflops is the f32 "
    "limit.\n"
    "\nExamples:\n"
    "  openclip bench --task image --batch 8 --model ViT-B-32 --json\n"
    "  openclip bench --task text --batch 64 --seconds 5";

struct BenchOptions {
  CommonOptions common;
  BenchRequest request;
  double seconds = 3;
};

// At least three calls, after two that warm up caches and the workspace. A call that alone takes
// longer than `seconds` is measured once.
double median_seconds(const std::function<void()>& call, double seconds) {
  const double first = now();
  call();
  if (const double took = now() - first; took > std::max(seconds, 1.0)) return took;
  call();
  std::vector<double> times;
  for (const double began = now(); times.size() < 3 || now() - began < seconds;) {
    const double start = now();
    call();
    times.push_back(now() - start);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// Six significant digits: more is noise.
double six_digits(double value) { return std::stod(fmt::format("{:.6g}", value)); }

int run_bench(const BenchOptions& options) {
  const BenchRequest& request = options.request;
  const std::optional<Towers> towers = bench_towers(request.task);
  ModelSource source = find_model(options.common, towers ? Need::weights : Need::config);
  const Context context = options.common.context();
  std::shared_ptr<const Model> model;
  if (towers) {
    std::optional<TemporaryWeights> random;
    if (options.common.model.pretrained.empty() && source.weights.empty())
      source.weights = random.emplace(source.config).path();
    model = load_model(context, source, {.towers = *towers, .packing = Packing::at_load});
  }
  const BenchWork work = make_bench_work(context, source, model, request);
  const double seconds = median_seconds(work.call, options.seconds);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double machine = kernels::measure_peak_gflops(context.threads());

  const OrderedJson result = {
      {"task", request.task},
      {"model", source.config.name},
      {"batch", work.batch},
      {"threads", context.threads()},
      {"precision", model ? precision_name(model->precision()) : precision_name(Precision::f32)},
      {"isa", kernels::isa_name()},
      {"seconds", six_digits(seconds)},
      {"items_per_s", six_digits(work.items / seconds)},
      {"peak_rss_mb", usage.ru_maxrss / 1024},
      {"gflops", six_digits(work.flops / seconds / 1e9)},
      {"machine_gflops", six_digits(machine)},
      {"share_of_peak", six_digits(work.flops / seconds / 1e9 / machine)},
      {"items", static_cast<int64_t>(work.items)}};
  if (options.common.json) {
    print(result.dump() + "\n");
    return 0;
  }
  for (const auto& [key, value] : result.items())
    print(fmt::format("{:<16}{}\n", key,
                      value.is_string() ? value.get<std::string>() : value.dump()));
  return 0;
}

}  // namespace

void add_bench(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("bench", "how fast the towers are on this machine");
  const auto options = std::make_shared<BenchOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  add_context_length(*command, options->common);
  BenchRequest& request = options->request;
  command->add_option("--task", request.task, bench_tasks())->capture_default_str();
  command
      ->add_option("--batch", request.batch,
                   "pictures or captions of one pass (default: 1; embed: 32)")
      ->in_range(1, 4096);
  command->add_option("--classes", request.classes, "zeroshot: classes, each in 80 prompts")
      ->capture_default_str()
      ->in_range(1, 1'000'000);
  command->add_option("--captions", request.captions, "text: natural, or how many tokens each has")
      ->capture_default_str();
  command->add_option("--labels-file", request.labels_file,
                      "class names of zeroshot and captions, one per line");
  command->add_option("--images", request.images, "preprocess, embed: files, folders or tars");
  command->add_option("--index", request.index, "search: where")->type_name("INDEX");
  command->add_option("--queries", request.queries, "search: vectors to search for")
      ->type_name("F.npy");
  command->add_option("--width", request.width, "search: of the search in the index's graph");
  command->add_flag("--exact", request.exact, "search: past the graph");
  command->add_option("--seconds", options->seconds, "how long to measure")
      ->capture_default_str()
      ->in_range(0.0, 3600.0);
  command->footer(kBenchFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_bench(*options); }; });
}

}  // namespace openclip
