#include "cli/bench_work.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <random>

#include "cli/options.h"
#include "cli/output.h"
#include "index/index.h"
#include "io/npy.h"
#include "models/config/flops.h"
#include "models/preprocess_config.h"
#include "tasks/embed.h"
#include "tasks/features.h"
#include "tasks/image_stream.h"
#include "tasks/labels.h"
#include "tasks/templates.h"
#include "tasks/zero_shot.h"

namespace openclip {
namespace {

using Ids = std::vector<int32_t>;

constexpr size_t kAhead = 64;  // pictures prepared ahead of their use

struct Bench {
  Context context;
  const ModelSource& source;
  std::shared_ptr<const Model> model;
  const BenchRequest& request;

  int batch(int standard = 1) const { return request.batch > 0 ? request.batch : standard; }
};

// Names of `count` things, of one to four words as ImageNet's: from --labels-file, or made up.
std::vector<std::string> class_names(const BenchRequest& request, size_t count) {
  static constexpr std::array kThings = {"cat",           "golden retriever", "fire engine",
                                         "mountain bike", "teapot",           "grey wolf",
                                         "sports car",    "violin",           "great white shark",
                                         "lighthouse",    "hot-air balloon",  "goldfish",
                                         "park bench",    "coffee mug",       "steam locomotive"};
  static constexpr std::array kKinds = {"",        "old ",    "small ", "red ",
                                        "toy ",    "wooden ", "blue ",  "clean ",
                                        "broken ", "yellow ", "giant ", "green "};
  std::vector<std::string> names;
  if (!request.labels_file.empty()) {
    names = read_labels(request.labels_file);
    names.resize(std::min(names.size(), count));
    return names;
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t round = i / kThings.size();
    std::string name = std::string(kKinds[round % kKinds.size()]) + kThings[i % kThings.size()];
    if (round >= kKinds.size()) name += fmt::format(" {}", round / kKinds.size());
    names.push_back(std::move(name));
  }
  return names;
}

std::unique_ptr<const Tokenizer> tokenizer_if_here(const ModelSource& source) {
  try {
    return load_tokenizer(source);
  } catch (const NotFound&) {
    tell("note: the model's tokenizer is not here; measured on made-up token ids");
    return nullptr;
  }
}

Ids made_up_ids(const TextConfig& config, size_t length) {
  Ids ids(std::min(length, static_cast<size_t>(config.context_length)), config.pad_id + 1);
  ids.back() = config.eos_id.value_or(config.vocab_size - 1);
  return ids;
}

// Token ids of captions: names in OpenAI's templates, or texts of a given number of tokens. Without
// the tokenizer as many ids as CLIP's would be: speed depends on their number, not on what they
// mean.
std::vector<Ids> caption_ids(const Bench& bench) {
  const TextConfig& config = bench.source.config.text;
  const auto batch = static_cast<size_t>(bench.batch());
  const std::string& captions = bench.request.captions;
  if (captions != "natural") {
    size_t tokens = 0;
    const auto [end, error] =
        std::from_chars(captions.data(), captions.data() + captions.size(), tokens);
    if (error != std::errc() || end != captions.data() + captions.size() || tokens < 2)
      throw UsageError("--captions must be natural or a number of tokens from 2 on, got '" +
                       captions + "'");
    std::vector<Ids> ids;
    for (size_t i = 0; i < batch; ++i) {
      ids.push_back(made_up_ids(config, tokens));
      // Different from the second token on, so that captions share nothing but their start.
      ids.back()[ids.back().size() > 2 ? 1 : 0] = config.pad_id + 1 + static_cast<int32_t>(i);
    }
    return ids;
  }
  const auto tokenizer = tokenizer_if_here(bench.source);
  const std::vector<std::string> templates = template_set("openai");
  const std::vector<std::string> names = class_names(bench.request, 1000);
  std::vector<Ids> ids;
  for (size_t i = 0; i < batch; ++i) {
    const std::string text =
        fill_template(templates[i % templates.size()], names[i * 7 % names.size()]);
    const auto words = static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
    ids.push_back(tokenizer ? tokenizer->encode(text, config.context_length)
                            : made_up_ids(config, words + 4));
  }
  return ids;
}

BenchWork image_work(const Bench& bench) {
  const VisionConfig& vision = bench.model->config().vision;
  const int batch = bench.batch();
  const auto pixels = std::make_shared<std::vector<float>>(size_t{3} * batch * vision.image_size *
                                                           vision.image_size);
  for (size_t i = 0; i < pixels->size(); ++i)
    (*pixels)[i] = static_cast<float>(i * 2654435761u % 1024) / 300.0f - 1.7f;
  const auto out =
      std::make_shared<std::vector<float>>(size_t(batch) * bench.model->config().embed_dim);
  return {[=, model = bench.model, context = bench.context] {
            model->encode_image(context, pixels->data(), batch, out->data());
          },
          static_cast<double>(batch), batch * image_flops(bench.model->config()), batch};
}

double text_flops_of(const ModelConfig& config, const std::vector<Ids>& texts) {
  double flops = 0;
  for (const Ids& ids : texts) flops += text_flops(config, static_cast<int64_t>(ids.size()));
  return flops;
}

BenchWork text_work(const Bench& bench) {
  const auto ids = std::make_shared<std::vector<Ids>>(caption_ids(bench));
  const auto out =
      std::make_shared<std::vector<float>>(ids->size() * bench.model->config().embed_dim);
  return {[=, model = bench.model, context = bench.context] {
            model->encode_text(context, *ids, out->data());
          },
          static_cast<double>(ids->size()), text_flops_of(bench.model->config(), *ids),
          bench.batch()};
}

// A classifier from names and OpenAI's 80 templates, tokenisation included.
BenchWork zero_shot_work(const Bench& bench) {
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(bench.source);
  const std::vector<std::string> templates = template_set("openai");
  const std::vector<std::string> names =
      class_names(bench.request, static_cast<size_t>(bench.request.classes));
  std::vector<Ids> ids;
  for (const std::string& name : names)
    for (const std::string& text : templates)
      ids.push_back(
          tokenizer->encode(fill_template(text, name), bench.source.config.text.context_length));
  return {[=, model = bench.model, context = bench.context] {
            const ZeroShotClassifier classifier(context, *model, *tokenizer, names, templates);
          },
          static_cast<double>(ids.size()), text_flops_of(bench.model->config(), ids)};
}

const std::vector<std::string>& need_images(const BenchRequest& request) {
  if (request.images.empty())
    throw UsageError("--task " + request.task + " needs pictures; name them with --images DIR");
  return request.images;
}

// Decodes and preprocesses every picture once; returns how many.
size_t prepare_all(const Context& context, const PreprocessConfig& config,
                   const std::vector<std::string>& images) {
  ImageStream stream(context, config, images, kAhead);
  size_t count = 0;
  while (const std::optional<PreparedImage> image = stream.next()) {
    if (!image->problem.empty()) throw InvalidArgument(image->problem);
    ++count;
  }
  return count;
}

BenchWork preprocess_work(const Bench& bench) {
  const PreprocessConfig config = preprocess_config(bench.source.config);
  const std::vector<std::string>& images = need_images(bench.request);
  const size_t count = prepare_all(bench.context, config, images);
  return {[=, context = bench.context] { prepare_all(context, config, images); },
          static_cast<double>(count)};
}

// The whole of `openclip embed`, files in and out.
BenchWork embed_work(const Bench& bench) {
  EmbedRequest request;
  request.images = need_images(bench.request);
  request.batch = static_cast<size_t>(bench.batch(32));
  request.out =
      std::filesystem::temp_directory_path() / fmt::format("openclip-bench-{}.npy", getpid());
  // Removes what the last call wrote.
  const std::shared_ptr<const void> clean(nullptr, [out = request.out](const void*) {
    std::error_code ec;
    std::filesystem::remove(out, ec);
    std::filesystem::remove(rows_path(out), ec);
  });
  const size_t count =
      prepare_all(bench.context, preprocess_config(bench.source.config), request.images);
  return {[=, model = bench.model, context = bench.context] {
            (void)clean;
            embed(context, *model, nullptr, request);
          },
          static_cast<double>(count),
          static_cast<double>(count) * image_flops(bench.model->config()), bench.batch(32)};
}

// The ten nearest of `batch` vectors at a time. flops: what an exact search computes.
BenchWork search_work(const Bench& bench) {
  if (bench.request.index.empty())
    throw UsageError("--task search needs an index; name one with --index INDEX");
  const std::shared_ptr<const Index> index = open_index(bench.request.index);
  const auto count = static_cast<size_t>(bench.batch());
  const auto dim = static_cast<size_t>(index->space().dim);
  const auto queries = std::make_shared<std::vector<float>>(count * dim);
  if (!bench.request.queries.empty()) {
    const NpyFile file = NpyFile::open(bench.request.queries);
    if (file.shape().size() != 2 || file.shape()[1] != index->space().dim ||
        file.shape()[0] < bench.batch())
      throw UsageError(
          fmt::format("{}: expected at least {} rows of {}", bench.request.queries, count, dim));
    file.read_floats(0, *queries);
  } else {
    std::mt19937 random;
    std::normal_distribution<float> normal;
    std::generate(queries->begin(), queries->end(), [&] { return normal(random); });
  }
  normalize_rows(*queries, index->space().dim);
  const IndexQuery ask{.k = 10,
                       .where = {},
                       .exclude = {},
                       .exact = bench.request.exact,
                       .width = bench.request.width};
  const double flops = index->graph() && !ask.exact ? 0 : 2.0 * static_cast<double>(index->size());
  return {[=, context = bench.context] { index->search(context, *queries, ask); },
          static_cast<double>(count), flops * static_cast<double>(dim * count), bench.batch()};
}

struct Task {
  const char* name;
  std::optional<Towers> towers;
  BenchWork (*make)(const Bench& bench);
};

constexpr std::array kTasks = {Task{"image", Towers::image_only, image_work},
                               Task{"text", Towers::text_only, text_work},
                               Task{"zeroshot", Towers::text_only, zero_shot_work},
                               Task{"preprocess", std::nullopt, preprocess_work},
                               Task{"embed", Towers::image_only, embed_work},
                               Task{"search", std::nullopt, search_work}};

const Task& find_task(const std::string& name) {
  for (const Task& task : kTasks)
    if (task.name == name) return task;
  throw UsageError("--task must be one of " + bench_tasks() + ", got '" + name + "'");
}

}  // namespace

std::string bench_tasks() {
  std::vector<std::string> names;
  for (const Task& task : kTasks) names.emplace_back(task.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<Towers> bench_towers(const std::string& task) { return find_task(task).towers; }

BenchWork make_bench_work(const Context& context, const ModelSource& source,
                          std::shared_ptr<const Model> model, const BenchRequest& request) {
  return find_task(request.task).make({context, source, std::move(model), request});
}

}  // namespace openclip
