#include <algorithm>

#include "base/error.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "io/webdataset.h"

namespace openclip::train {
namespace {

// Turns a webdataset sample into ours; nullptr if it has no picture or no caption.
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
    if (text == sample.parts.end()) return nullptr;
    raw->text.by_key.push_back({std::string(text->second.begin(), text->second.end())});
  }
  for (const Captions& captions : raw->text.by_key)
    if (!captions.empty()) return raw;
  return nullptr;
}

// The samples of some shards, one after the other.
class ShardSequence {
 public:
  ShardSequence(const ShardOptions& options, std::vector<std::string> shards)
      : options_(options), shards_(std::move(shards)) {}

  std::shared_ptr<RawSample> next() {
    while (true) {
      if (!reader_) {
        if (position_ == shards_.size()) return nullptr;
        open(shards_[position_++]);
        continue;
      }
      std::optional<WebdatasetSample> sample = reader_->next();
      if (!sample) {
        reader_.reset();
        continue;
      }
      try {
        if (auto raw = to_raw(std::move(*sample), shards_[position_ - 1], options_)) return raw;
      } catch (const Error& error) {
        warn(error.what());
      }
    }
  }

 private:
  void open(const std::string& path) {
    TarOptions tar;
    tar.wants = [this](std::string_view name) { return wanted(name); };
    tar.report = options_.warn;
    reader_.emplace(path, std::move(tar));
  }

  bool wanted(std::string_view name) const {
    const auto split = split_webdataset_name(name);
    if (!split) return false;
    const auto& images = options_.image_extensions;
    return split->second == "json" || split->second == options_.text_extension ||
           std::find(images.begin(), images.end(), split->second) != images.end();
  }

  void warn(const std::string& text) const {
    if (options_.warn) options_.warn(text);
  }

  const ShardOptions& options_;
  std::vector<std::string> shards_;
  size_t position_ = 0;
  std::optional<WebdatasetReader> reader_;
};

// Shards in a new order each pass, samples drawn at random from a buffer.
class ShuffledShards : public SampleStream {
 public:
  ShuffledShards(const ShardOptions& options, uint64_t seed, int64_t epoch)
      : options_(options),
        seed_(seed),
        epoch_(epoch),
        random_{seed, static_cast<uint64_t>(epoch)} {}

  Ticket next() override {
    while (static_cast<int64_t>(buffer_.size()) < std::max<int64_t>(1, options_.shuffle_buffer)) {
      std::shared_ptr<RawSample> raw = read();
      if (!raw) break;
      buffer_.push_back(std::move(raw));
    }
    std::swap(buffer_[random_.below(buffer_.size())], buffer_.back());
    Ticket ticket{.index = -1, .raw = std::move(buffer_.back())};
    buffer_.pop_back();
    return ticket;
  }

 private:
  // Null at the end of a pass while the buffer still holds samples of it.
  std::shared_ptr<RawSample> read() {
    while (true) {
      if (!sequence_) {
        std::vector<std::string> shards = options_.paths;
        Random order{seed_, static_cast<uint64_t>(epoch_), pass_++, 0x5A4D};
        order.shuffle(shards);
        sequence_.emplace(options_, std::move(shards));
        found_in_pass_ = false;
      }
      if (auto raw = sequence_->next()) {
        found_in_pass_ = true;
        return raw;
      }
      sequence_.reset();
      if (!found_in_pass_)
        throw Error(
            fmt::format("no sample of {} shards has both a picture ({}) and a caption ({})",
                        options_.paths.size(), fmt::join(options_.image_extensions, ", "),
                        options_.captions.keys.empty()
                            ? options_.text_extension
                            : fmt::format("json: {}", fmt::join(options_.captions.keys, ", "))));
    }
  }

  const ShardOptions& options_;
  uint64_t seed_;
  int64_t epoch_;
  Random random_;
  uint64_t pass_ = 0;
  bool found_in_pass_ = false;
  std::optional<ShardSequence> sequence_;
  std::vector<std::shared_ptr<RawSample>> buffer_;
};

class ShardDataset : public Dataset {
 public:
  explicit ShardDataset(ShardOptions options) : options_(std::move(options)) {}

  int64_t size() const override { return -1; }

  std::unique_ptr<SampleStream> stream(uint64_t seed, int64_t epoch) override {
    return std::make_unique<ShuffledShards>(options_, seed, epoch);
  }

  void each(const std::function<bool(Ticket)>& visit) override {
    ShardSequence sequence(options_, options_.paths);
    while (auto raw = sequence.next())
      if (!visit({.index = -1, .raw = std::move(raw)})) return;
  }

  DecodedSample load(Ticket ticket) const override {
    DecodedSample sample;
    sample.holder = ticket.raw;
    sample.text = &ticket.raw->text;
    sample.key = ticket.raw->key;
    sample.picture = decode_picture(ticket.raw->bytes, sample.key, options_.max_image_pixels);
    return sample;
  }

 private:
  ShardOptions options_;
};

}  // namespace

std::unique_ptr<Dataset> open_shards(const ShardOptions& options) {
  check_arg(!options.paths.empty(), "--train-data names no shard");
  return std::make_unique<ShardDataset>(options);
}

}  // namespace openclip::train
