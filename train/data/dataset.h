// A set of samples as an endless, repeatable sequence.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/sample.h"

namespace openclip::train {

/// What a worker turns into a row of a batch: an index into the dataset, or the bytes themselves
/// where the dataset is a stream.
struct Ticket {
  int64_t index = -1;
  std::shared_ptr<RawSample> raw;
};

/// A decoded sample. `text` points into the dataset or into `holder`.
struct DecodedSample {
  std::shared_ptr<const RawSample> holder;
  const SampleText* text = nullptr;
  std::shared_ptr<const Image> picture;
  std::string key;
};

/// One epoch's samples in order; endless (it starts over when the data end). Not thread-safe.
class SampleStream {
 public:
  virtual ~SampleStream() = default;
  virtual Ticket next() = 0;
  virtual void skip(int64_t count) {
    for (int64_t i = 0; i < count; ++i) next();
  }
};

/// Which samples of an epoch's order a process takes: rank, rank + processes, rank + 2 processes, …
/// All together take every sample, so that the order does not depend on their number.
struct Part {
  int rank = 0, processes = 1;
};

class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Number of samples, or -1 where only reading everything would tell.
  virtual int64_t size() const = 0;

  /// The order of an epoch is a function of (seed, epoch) alone.
  virtual std::unique_ptr<SampleStream> stream(uint64_t seed, int64_t epoch, Part part) = 0;

  /// Calls `visit` with every sample once, in the data's own order, until it returns false.
  virtual void each(const std::function<bool(Ticket)>& visit) = 0;

  /// Decodes a sample. Thread-safe. Throws: ParseError and the like for broken pictures.
  virtual DecodedSample load(Ticket ticket) const = 0;

  /// The texts of sample `index` without its picture; null where samples have no numbers.
  virtual const SampleText* text(int64_t) const { return nullptr; }

  /// Largest label seen, or -1; exact only for datasets with a known size.
  virtual int64_t max_label() const { return -1; }
};

/// Gets one line for every sample or shard that is passed over.
using Warn = std::function<void(const std::string&)>;

struct ShardOptions {
  std::vector<std::string> paths;
  std::vector<std::string> image_extensions = {"jpg", "png", "jpeg", "webp"};
  std::string text_extension = "txt";
  CaptionOptions captions;  // keys empty = use the text part
  bool need_captions = true;
  int64_t shuffle_buffer = 5000;  // samples, over all lanes of all processes
  /// Shards are dealt out to this many lanes, which are read side by side and take turns: what
  /// makes the order the same for any number of processes that divides it. 0 = choose.
  int lanes = 0;
  int processes = 1;
  bool resampled = false;          // shards are drawn with replacement
  std::vector<double> upsampling;  // of each shard, with `resampled`; empty = all alike
  int64_t max_image_pixels = 25'000'000;
  Warn warn;
};

/// Expands webdataset's braces: "a-{000..012}.tar" and "{x,y}.tar"; "::" joins patterns; a pattern
/// with * or ? is matched against the folder's files (sorted), unless it is a URL or
/// `pipe:COMMAND`. `source_sizes` gets the number of shards of each pattern. Throws:
/// InvalidArgument for malformed braces, NotFound if a pattern matches nothing.
std::vector<std::string> expand_shards(const std::string& patterns,
                                       std::vector<size_t>* source_sizes = nullptr);

/// Shards read front to back in shuffled order, samples mixed in a shuffle buffer. Shards are
/// files, URLs (http, https) and "pipe:COMMAND", whose output is read.
std::unique_ptr<Dataset> open_shards(const ShardOptions& options);

struct CsvOptions {
  std::string path;
  std::string separator = "\t";
  std::string image_key = "filepath";
  std::string caption_key = "title";
  int64_t max_image_pixels = 25'000'000;
};

/// A table of picture paths (relative ones are resolved against the working folder, as open_clip
/// does) and captions. Throws: ParseError naming the line or the missing column.
std::unique_ptr<Dataset> open_csv(const CsvOptions& options);

/// Every picture of a folder tree that has a caption in a .txt file (or, with caption keys, a .json
/// file) of the same name beside it.
std::unique_ptr<Dataset> open_folder(const std::string& path, const ShardOptions& options);

/// open_clip's --dataset-type synthetic: a black picture and "Dummy caption", for measuring speed.
std::unique_ptr<Dataset> open_synthetic(int64_t count, int image_size);

/// All pictures decoded and kept in memory, if they fit in `max_bytes`; else `dataset` itself. In
/// memory an epoch is a true permutation of all samples. progress gets (done, bytes).
std::unique_ptr<Dataset> cache_decoded(std::unique_ptr<Dataset> dataset, int64_t max_bytes,
                                       int threads,
                                       const std::function<void(int64_t, int64_t)>& progress,
                                       const Warn& warn);

}  // namespace openclip::train
