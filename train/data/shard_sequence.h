// The samples of some shards, one after the other.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/shard_source.h"
#include "io/webdataset.h"

namespace openclip::train {

/// Downloads are begun one shard ahead; one that fails is reported and passed over.
class ShardSequence {
 public:
  /// `options` must outlive it.
  ShardSequence(const ShardOptions& options, std::vector<std::string> shards)
      : options_(options), shards_(std::move(shards)) {}

  /// The next sample with a picture (and a caption, where those are needed); null at the end.
  /// Throws: NotFound, ParseError and the like for shards on disk that cannot be read.
  std::shared_ptr<RawSample> next();

 private:
  using Source = std::unique_ptr<ShardSource>;

  bool open_next();
  Source take_source(const std::string& shard);
  void close();
  bool wanted(std::string_view name) const;
  void warn(const std::string& text) const;

  const ShardOptions& options_;
  std::vector<std::string> shards_;
  size_t position_ = 0;
  Source source_;
  std::future<Source> ahead_;  // of shards_[position_]
  std::optional<WebdatasetReader> reader_;
};

}  // namespace openclip::train
