#include "serve/engine/engine.h"

#include <algorithm>

#include "models/preprocess_config.h"
#include "tasks/features.h"
#include "tasks/label_vectors.h"

namespace openclip {
namespace {

constexpr size_t kKeptClassifiers = 16;
constexpr const char* kBatchHelp = "Items computed together in one pass through a tower.";
constexpr const char* kTimeHelp = "Seconds of one pass through a tower.";

const char* kind_name(BatchKind kind) { return kind == BatchKind::image ? "image" : "text"; }

Batcher::OnBatch batch_metrics(Metrics& metrics) {
  struct Lane {
    Histogram* size;
    Histogram* time;
    Counter* items;
  };
  std::array<Lane, 2> lanes{};
  for (const BatchKind kind : {BatchKind::image, BatchKind::text}) {
    const std::string label = metric_label("modality", kind_name(kind));
    lanes[static_cast<size_t>(kind)] = {
        &metrics.histogram("openclip_batch_items", kBatchHelp, size_bounds(), label),
        &metrics.histogram("openclip_batch_duration_seconds", kTimeHelp, duration_bounds(), label),
        &metrics.counter("openclip_embedded_total", "Pictures and texts embedded.", label)};
  }
  return [lanes](BatchKind kind, size_t items, double seconds) {
    const Lane& lane = lanes[static_cast<size_t>(kind)];
    lane.size->observe(static_cast<double>(items));
    lane.time->observe(seconds);
    lane.items->add(items);
  };
}

}  // namespace

Engine::Engine(const Context& context, ModelSource source, const BatchSettings& batching,
               const RequestLimits& limits, Metrics& metrics)
    : context_(context),
      source_(std::move(source)),
      limits_(limits),
      model_(load_model(context_, source_, {.packing = Packing::at_load})),
      tokenizer_(load_tokenizer(source_, {.allowed = true})),
      preprocess_(preprocess_config(source_.config)),
      decoding_(context.threads()) {
  batcher_.emplace(
      dim(), batching,
      [this](BatchKind kind, std::span<const BatchItem* const> items, float* out) {
        forward(kind, items, out);
      },
      batch_metrics(metrics));
  for (const BatchKind kind : {BatchKind::image, BatchKind::text})
    metrics.gauge(
        "openclip_batch_waiting", "Items that wait for a tower.",
        [this, kind] { return static_cast<double>(batcher_->waiting(kind)); },
        metric_label("modality", kind_name(kind)));
}

void Engine::forward(BatchKind kind, std::span<const BatchItem* const> items, float* out) {
  if (kind == BatchKind::text) {
    std::vector<std::vector<int32_t>> ids;
    for (const BatchItem* item : items) ids.push_back(item->ids);
    model_->encode_text(context_, ids, out);
  } else {
    const size_t size = items[0]->pixels.size();
    std::vector<float> pixels(items.size() * size);
    for (size_t i = 0; i < items.size(); ++i)
      std::copy_n(items[i]->pixels.data(), size, pixels.data() + i * size);
    model_->encode_image(context_, pixels.data(), static_cast<int64_t>(items.size()), out);
  }
  normalize_rows({out, items.size() * dim()}, static_cast<int64_t>(dim()));
}

std::vector<float> Engine::embed_texts(const Call& call, std::span<const std::string> texts,
                                       TextUsage* usage) {
  std::vector<BatchItem> items;
  for (const std::string& text : texts) {
    if (text.size() > limits_.max_text_bytes)
      throw CallError(413, fmt::format("a text of {} bytes; the limit is {}", text.size(),
                                       limits_.max_text_bytes));
    size_t cut = 0;
    items.push_back({.ids = text_ids(*tokenizer_, source_.config.text, text, &cut)});
    if (usage == nullptr) continue;
    usage->tokens += static_cast<int64_t>(items.back().ids.size());
    usage->truncated |= cut > 0;
  }
  return batcher_->run(BatchKind::text, std::move(items), call);
}

std::vector<float> Engine::embed_ids(const Call& call, std::vector<std::vector<int32_t>> ids) {
  const auto longest = static_cast<size_t>(source_.config.text.context_length);
  std::vector<BatchItem> items;
  for (std::vector<int32_t>& text : ids) {
    if (text.empty() || text.size() > longest)
      throw CallError(400, fmt::format("a list of {} token ids; the model takes 1 to {}",
                                       text.size(), longest));
    for (const int32_t id : text)
      if (id < 0 || id >= source_.config.text.vocab_size)
        throw CallError(400, fmt::format("token id {} is not below the vocabulary's size of {}", id,
                                         source_.config.text.vocab_size));
    items.push_back({.ids = std::move(text)});
  }
  return batcher_->run(BatchKind::text, std::move(items), call);
}

std::vector<float> Engine::embed_images(const Call& call,
                                        std::span<const std::vector<uint8_t>> files,
                                        PictureSize* last_size) {
  if (files.size() > limits_.max_images)
    throw CallError(413, fmt::format("{} pictures; the limit of a request is {}", files.size(),
                                     limits_.max_images));
  Batcher::Announcement announcement(*batcher_, BatchKind::image, files.size());
  std::vector<BatchItem> items;
  int64_t pixels_left = limits_.max_request_pixels;
  for (const std::vector<uint8_t>& file : files) {
    const std::string name =
        files.size() == 1 ? "picture" : fmt::format("picture {}", items.size());
    const Gate::Pass pass = decoding_.enter(call);
    const Image image = decode_image(
        file, name, {.max_pixels = std::min<int64_t>(limits_.max_image_pixels, pixels_left)});
    pixels_left -= int64_t{image.width} * image.height;
    if (last_size != nullptr) *last_size = {image.width, image.height};
    std::vector<float> pixels(size_t{3} * preprocess_.height * preprocess_.width);
    preprocess(image, preprocess_, pixels.data());
    items.push_back({.pixels = std::move(pixels)});
  }
  return batcher_->run(BatchKind::image, std::move(items), call, &announcement);
}

Image Engine::decode(const Call& call, std::span<const uint8_t> file, const std::string& name) {
  const Gate::Pass pass = decoding_.enter(call);
  return decode_image(file, name, {.max_pixels = limits_.max_image_pixels});
}

std::shared_ptr<const ZeroShotClassifier> Engine::classifier(
    const Call& call, const std::vector<std::string>& labels,
    const std::vector<std::string>& templates) {
  {
    const std::lock_guard lock(kept_mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const KeptClassifier& kept) {
      return kept.labels == labels && kept.templates == templates;
    });
    if (found != kept_.end()) {
      std::rotate(kept_.begin(), found, found + 1);
      return kept_.front().classifier;
    }
  }
  std::shared_ptr<const ZeroShotClassifier> made;
  if (auto vectors =
          source_.weights.empty()
              ? std::nullopt
              : find_label_vectors(source_, label_vectors_key(source_, labels, templates),
                                   labels.size()))
    made = std::make_shared<ZeroShotClassifier>(labels, std::move(*vectors), *model_);
  else
    made = std::make_shared<ZeroShotClassifier>(
        [&](std::span<const std::string> prompts) { return embed_texts(call, prompts); }, *model_,
        labels, templates);
  const std::lock_guard lock(kept_mutex_);
  kept_.push_front({labels, templates, made});
  if (kept_.size() > kKeptClassifiers) kept_.pop_back();
  return made;
}

const Detector& Engine::detector() {
  std::call_once(detector_once_,
                 [&] { detector_ = make_detector(context_, source_, model_, tokenizer_); });
  return *detector_;
}

void Engine::warm_up() {
  Call call;
  embed_texts(call, std::vector<std::string>{"a"});
  std::vector<BatchItem> items(1);
  items[0].pixels.assign(size_t{3} * preprocess_.height * preprocess_.width, 0.0f);
  batcher_->run(BatchKind::image, std::move(items), call);
}

}  // namespace openclip
