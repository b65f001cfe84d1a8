#include <algorithm>
#include <atomic>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "base/parallel.h"
#include "trainer/setup.h"

namespace openclip::train {
namespace {

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ';');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

std::string dataset_type(const Options& options, const std::string& data) {
  if (options.dataset_type != "auto") return options.dataset_type;
  const std::string extension = std::filesystem::path(data).extension();
  if (extension == ".csv" || extension == ".tsv") return "csv";
  if (std::filesystem::is_directory(data)) return "folder";
  if (data.find(".tar") != std::string::npos || data.starts_with("pipe:")) return "webdataset";
  throw InvalidArgument(fmt::format(
      "--train-data {}: neither .tar shards, a .csv or .tsv file, nor a folder; say which with "
      "--dataset-type",
      data));
}

// Passes on the first warnings and counts the rest, so that a bad shard does not flood the log.
Warn limited(Warn log) {
  constexpr int kShown = 20;
  auto count = std::make_shared<std::atomic<int>>(0);
  return [log = std::move(log), count](const std::string& text) {
    const int n = ++*count;
    if (n <= kShown) log("skipped: " + text);
    if (n == kShown) log("further skipped samples are not listed");
  };
}

// Each shard's weight is its part's factor, as in open_clip.
std::vector<double> shard_weights(const std::vector<double>& factors,
                                  const std::vector<size_t>& sources) {
  if (factors.empty()) return {};
  check_arg(factors.size() == sources.size(),
            "--train-data-upsampling-factors: {} numbers for {} parts of --train-data",
            factors.size(), sources.size());
  std::vector<double> weights;
  for (size_t i = 0; i < sources.size(); ++i) weights.insert(weights.end(), sources[i], factors[i]);
  return weights;
}

std::unique_ptr<Dataset> open_plain(const Options& options, const std::string& data,
                                    const ModelConfig& config, int processes, const Warn& warn) {
  const std::string type = dataset_type(options, data);
  if (type == "synthetic")
    return open_synthetic(options.train_num_samples, config.vision.image_size);
  if (type == "csv")
    return open_csv({.path = data,
                     .separator = options.csv_separator,
                     .image_key = options.csv_image_key,
                     .caption_key = options.csv_caption_key,
                     .max_image_pixels = options.max_image_pixels});
  ShardOptions shards;
  shards.image_extensions = split_list(options.image_key);
  shards.text_extension = options.text_key;
  shards.captions = options.captions;
  shards.max_image_pixels = options.max_image_pixels;
  shards.warn = warn;
  shards.need_captions = !options.visual_stage;
  if (type == "folder") return open_folder(data, shards);
  std::vector<size_t> sources;
  shards.paths = expand_shards(data, &sources);
  shards.lanes = options.lanes;
  shards.processes = processes;
  shards.resampled = options.resampled;
  shards.upsampling = shard_weights(options.upsampling_factors, sources);
  return open_shards(shards);
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const Options& options, const ModelConfig& config,
                                      int processes, const Warn& log) {
  const Warn warn = limited(log);
  std::unique_ptr<Dataset> dataset =
      open_plain(options, options.train_data, config, processes, warn);
  if (options.cache_bytes == 0) return dataset;
  int64_t pictures = 0, bytes = 0;
  dataset = cache_decoded(
      std::move(dataset), options.cache_bytes, available_threads(),
      [&](int64_t done, int64_t size) { pictures = done, bytes = size; }, warn);
  if (dataset->size() >= 0)
    log(fmt::format("{} decoded pictures in {:.0f} MB of memory", pictures, bytes * 1e-6));
  else
    log(fmt::format("--cache-decoded {}: the pictures do not fit, reading them from disk instead",
                    options.cache_bytes));
  return dataset;
}

std::unique_ptr<Dataset> open_validation_data(const Options& options, const ModelConfig& config,
                                              const Warn& log) {
  Options with_captions = options;
  with_captions.visual_stage = false;
  with_captions.resampled = false;
  with_captions.upsampling_factors.clear();
  with_captions.lanes = 0;
  with_captions.dataset_type = options.dataset_type == "synthetic" ? "synthetic" : "auto";
  return open_plain(with_captions, options.val_data, config, 1, limited(log));
}

}  // namespace openclip::train
