#include "data/shard_sequence.h"

#include <algorithm>

#include "base/error.h"

namespace openclip::train {
namespace {

// Turns a webdataset sample into ours; null if it has no picture or no caption.
std::shared_ptr<RawSample> to_raw(WebdatasetSample sample, const std::string& shard,
                                  const ShardOptions& options) {
  auto raw = std::make_shared<RawSample>();
  raw->key = shard + ": " + sample.key;
  for (const std::string& extension : options.image_extensions) {
    const auto found = sample.parts.find(extension);
    if (found == sample.parts.end()) continue;
    raw->bytes = std::move(found->second);
    break;
  }
  if (raw->bytes.empty()) return nullptr;
  const auto json = sample.parts.find("json");
  if (json != sample.parts.end() &&
      (!options.captions.keys.empty() || !options.captions.label_key.empty()))
    raw->text = parse_sample_json(raw->key, json->second, options.captions);
  if (options.captions.keys.empty()) {
    const auto text = sample.parts.find(options.text_extension);
    if (text != sample.parts.end())
      raw->text.by_key.push_back({std::string(text->second.begin(), text->second.end())});
  }
  if (!options.need_captions) return raw;
  for (const Captions& captions : raw->text.by_key)
    if (!captions.empty()) return raw;
  return nullptr;
}

}  // namespace

std::shared_ptr<RawSample> ShardSequence::next() {
  while (reader_ || open_next()) {
    if (!reader_) continue;
    std::optional<WebdatasetSample> sample = reader_->next();
    if (!sample) {
      close();
      continue;
    }
    try {
      if (auto raw = to_raw(std::move(*sample), shards_[position_ - 1], options_)) return raw;
    } catch (const Error& error) {
      warn(error.what());
    }
  }
  return nullptr;
}

// False at the end; without a reader where the shard could not be fetched.
bool ShardSequence::open_next() {
  if (position_ == shards_.size()) return false;
  const std::string& shard = shards_[position_++];
  try {
    source_ = take_source(shard);
  } catch (const Error& error) {
    if (!ShardSource::is_download(shard)) throw;
    warn(error.what());
    return true;
  }
  TarOptions tar;
  tar.wants = [this](std::string_view name) { return wanted(name); };
  tar.report = options_.warn;
  reader_.emplace(source_->path(), std::move(tar));
  return true;
}

ShardSequence::Source ShardSequence::take_source(const std::string& shard) {
  Source source = ahead_.valid() ? ahead_.get() : std::make_unique<ShardSource>(shard);
  if (position_ < shards_.size() && ShardSource::is_download(shards_[position_]))
    ahead_ = std::async(std::launch::async, [next = shards_[position_]] {
      return std::make_unique<ShardSource>(next);
    });
  return source;
}

void ShardSequence::close() {
  reader_.reset();
  if (const std::string problem = source_->finish(); !problem.empty()) warn(problem);
  source_.reset();
}

bool ShardSequence::wanted(std::string_view name) const {
  const auto split = split_webdataset_name(name);
  if (!split) return false;
  const auto& images = options_.image_extensions;
  return split->second == "json" || split->second == options_.text_extension ||
         std::find(images.begin(), images.end(), split->second) != images.end();
}

void ShardSequence::warn(const std::string& text) const {
  if (options_.warn) options_.warn(text);
}

}  // namespace openclip::train
