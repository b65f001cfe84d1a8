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

std::string dataset_type(const Options& options) {
  if (options.dataset_type != "auto") return options.dataset_type;
  const std::string extension = std::filesystem::path(options.train_data).extension();
  if (extension == ".csv" || extension == ".tsv") return "csv";
  if (std::filesystem::is_directory(options.train_data)) return "folder";
  if (options.train_data.find(".tar") != std::string::npos) return "webdataset";
  throw InvalidArgument(fmt::format(
      "--train-data {}: neither .tar shards, a .csv or .tsv file, nor a folder; say which with "
      "--dataset-type",
      options.train_data));
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

std::unique_ptr<Dataset> open_plain(const Options& options, const ModelConfig& config,
                                    const Warn& warn) {
  const std::string type = dataset_type(options);
  if (type == "synthetic")
    return open_synthetic(options.train_num_samples, config.vision.image_size);
  if (type == "csv")
    return open_csv({.path = options.train_data,
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
  if (type == "folder") return open_folder(options.train_data, shards);
  shards.paths = expand_shards(options.train_data);
  return open_shards(shards);
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const Options& options, const ModelConfig& config,
                                      const Warn& log) {
  const Warn warn = limited(log);
  std::unique_ptr<Dataset> dataset = open_plain(options, config, warn);
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

}  // namespace openclip::train
