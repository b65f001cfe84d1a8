// openclip bench: how fast the towers are on this machine.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "kernels/isa.h"
#include "kernels/peak.h"
#include "models/config/flops.h"
#include "models/random_weights.h"
#include "tasks/templates.h"

namespace openclip {
namespace {

constexpr const char* kFooter =
    "\nWithout --pretrained the weights are random numbers, which take the same time. seconds is "
    "the\n"
    "median of the calls; gflops counts the work of the real tokens, machine_gflops is the f32 "
    "limit.\n"
    "\nExamples:\n"
    "  openclip bench --task image --batch 8 --model ViT-B-32 --json\n"
    "  openclip bench --task text --batch 64 --seconds 5";

struct BenchOptions {
  CommonOptions common;
  std::string task = "image";
  int batch = 1;
  double seconds = 3;
};

// A call that can be repeated, and how much one call does.
struct Work {
  std::function<void()> call;
  double flops = 0;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// At least three calls after two that warm up caches and the workspace.
double median_seconds(const std::function<void()>& call, double seconds) {
  call();
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

// Captions of natural length: names of things in OpenAI's templates.
std::vector<std::string> captions(int count) {
  static constexpr const char* kThings[] = {
      "cat",           "golden retriever", "fire engine",
      "mountain bike", "teapot",           "grey wolf",
      "sports car",    "violin",           "great white shark",
      "lighthouse",    "hot-air balloon",  "goldfish",
      "park bench",    "coffee mug",       "steam locomotive"};
  const std::vector<std::string> templates = template_set("openai");
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i)
    texts.push_back(fill_template(templates[static_cast<size_t>(i) % templates.size()],
                                  kThings[static_cast<size_t>(i) * 7 % std::size(kThings)]));
  return texts;
}

Work image_work(const Context& context, const Model& model, int batch) {
  const int side = model.config().vision.image_size;
  const auto pixels = std::make_shared<std::vector<float>>(size_t{3} * batch * side * side);
  for (size_t i = 0; i < pixels->size(); ++i)
    (*pixels)[i] = static_cast<float>(i * 2654435761u % 1024) / 300.0f - 1.7f;
  const auto out = std::make_shared<std::vector<float>>(size_t(batch) * model.config().embed_dim);
  return {[=, &model] { model.encode_image(context, pixels->data(), batch, out->data()); },
          batch * image_flops(model.config())};
}

// Token ids of captions, or, where the model's tokenizer is not at hand, as many as these have of
// CLIP's: speed depends on their number, not on what they mean.
std::vector<std::vector<int32_t>> caption_ids(const ModelSource& source, int batch) {
  std::unique_ptr<const Tokenizer> tokenizer;
  try {
    tokenizer = load_tokenizer(source);
  } catch (const NotFound&) {
    tell("note: the model's tokenizer is not here; measured on made-up token ids");
  }
  const TextConfig& config = source.config.text;
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : captions(batch)) {
    if (tokenizer) {
      ids.push_back(tokenizer->encode(text, config.context_length));
      continue;
    }
    const auto words = static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
    const size_t length = std::min(words + 4, static_cast<size_t>(config.context_length));
    ids.emplace_back(length, config.pad_id + 1);
    ids.back().back() = config.eos_id.value_or(config.vocab_size - 1);
  }
  return ids;
}

Work text_work(const Context& context, const Model& model, const ModelSource& source, int batch) {
  const auto ids = std::make_shared<std::vector<std::vector<int32_t>>>(caption_ids(source, batch));
  double flops = 0;
  for (const std::vector<int32_t>& text : *ids)
    flops += text_flops(model.config(), static_cast<int64_t>(text.size()));
  const auto out = std::make_shared<std::vector<float>>(size_t(batch) * model.config().embed_dim);
  return {[=, &model] { model.encode_text(context, *ids, out->data()); }, flops};
}

// Six significant digits: more is noise.
double rounded(double value) { return std::stod(fmt::format("{:.6g}", value)); }

int run_bench(const BenchOptions& options) {
  if (options.task != "image" && options.task != "text")
    throw UsageError("--task must be image or text, got '" + options.task + "'");
  ModelSource source = find_model(options.common, Need::weights);
  const Context context = options.common.context();
  std::optional<TemporaryWeights> random;
  if (options.common.model.pretrained.empty() && source.weights.empty())
    source.weights = random.emplace(source.config).path();
  const bool image = options.task == "image";
  const auto model =
      load_model(context, source, {.towers = image ? Towers::image_only : Towers::text_only});
  random.reset();
  const Work work = image ? image_work(context, *model, options.batch)
                          : text_work(context, *model, source, options.batch);
  const double seconds = median_seconds(work.call, options.seconds);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double machine = kernels::measure_peak_gflops(context.threads());

  const OrderedJson result = {{"task", options.task},
                              {"model", source.config.name},
                              {"batch", options.batch},
                              {"threads", context.threads()},
                              {"precision", "f32"},
                              {"isa", kernels::isa_name()},
                              {"seconds", rounded(seconds)},
                              {"items_per_s", rounded(options.batch / seconds)},
                              {"peak_rss_mb", usage.ru_maxrss / 1024},
                              {"gflops", rounded(work.flops / seconds / 1e9)},
                              {"machine_gflops", rounded(machine)}};
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

void add_bench(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* command = app.add_subcommand("bench", "how fast the towers are on this machine");
  const auto options = std::make_shared<BenchOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  add_context_length(*command, options->common);
  command->add_option("--task", options->task, "image or text")->capture_default_str();
  command->add_option("--batch", options->batch, "items of one call")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command->add_option("--seconds", options->seconds, "how long to measure")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  command->footer(kFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_bench(*options); }; });
}

}  // namespace openclip
