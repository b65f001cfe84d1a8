#include <algorithm>

#include "base/error.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/shard_sequence.h"

namespace openclip::train {
namespace {

constexpr int kMaxLanes = 16;  // each holds a file, a pipe or a download open

// The lanes of a job: as many as can be shared evenly by any usual number of processes.
int choose_lanes(const ShardOptions& options) {
  const auto shards = static_cast<int>(
      std::min<size_t>(options.paths.size(), options.resampled ? kMaxLanes : 1 << 20));
  if (options.lanes > 0) {
    check_arg(options.lanes % options.processes == 0,
              "--shard-lanes {}: must be a multiple of the {} processes", options.lanes,
              options.processes);
    check_arg(options.resampled || options.lanes <= shards,
              "--shard-lanes {}: there are only {} shards", options.lanes, shards);
    return options.lanes;
  }
  check_arg(options.resampled || shards >= options.processes,
            "--train-data: {} shards are too few for {} processes; make more shards, or use "
            "--dataset-resampled",
            shards, options.processes);
  int lanes = 1;
  while (lanes * 2 <= std::min(shards, kMaxLanes)) lanes *= 2;
  return lanes % options.processes == 0 ? lanes : options.processes;
}

// One lane: its shards in a new order each pass, samples drawn at random from a buffer.
class Lane {
 public:
  Lane(const ShardOptions& options, uint64_t seed, int64_t epoch, int number)
      : options_(options),
        seed_(seed),
        epoch_(static_cast<uint64_t>(epoch)),
        number_(static_cast<uint64_t>(number)),
        buffer_size_(static_cast<size_t>(
            std::max<int64_t>(1, options.shuffle_buffer / std::max(1, options.lanes)))),
        random_{seed, epoch_, number_} {}

  std::shared_ptr<RawSample> next() {
    while (buffer_.size() < buffer_size_) {
      std::shared_ptr<RawSample> raw = read();
      if (!raw) break;
      buffer_.push_back(std::move(raw));
    }
    std::swap(buffer_[random_.below(buffer_.size())], buffer_.back());
    std::shared_ptr<RawSample> raw = std::move(buffer_.back());
    buffer_.pop_back();
    return raw;
  }

 private:
  std::shared_ptr<RawSample> read() {
    while (true) {
      if (!sequence_) {
        ++pass_;
        sequence_.emplace(options_, shards());
        found_in_pass_ = false;
      }
      if (auto raw = sequence_->next()) {
        found_in_pass_ = true;
        return raw;
      }
      sequence_.reset();
      if (!found_in_pass_) no_sample();
    }
  }

  // This pass's shards. All lanes shuffle all of them alike, then each takes its own.
  std::vector<std::string> shards() const {
    if (options_.resampled) return drawn_shards();
    std::vector<std::string> all = options_.paths, own;
    Random order{seed_, epoch_, pass_, 0x5A4D};
    order.shuffle(all);
    for (size_t i = number_; i < all.size(); i += static_cast<size_t>(options_.lanes))
      own.push_back(all[i]);
    return own;
  }

  std::vector<std::string> drawn_shards() const {
    Random random{seed_, epoch_, pass_, number_, 0xD4A3};
    const std::vector<double>& weights = options_.upsampling;
    double sum = 0;
    for (const double weight : weights) sum += weight;
    std::vector<std::string> drawn;
    for (size_t i = 0; i < options_.paths.size(); ++i) {
      size_t shard = 0;
      if (weights.empty()) {
        shard = random.below(options_.paths.size());
      } else {
        double left = random.uniform() * sum;
        while (shard + 1 < weights.size() && left >= weights[shard]) left -= weights[shard++];
      }
      drawn.push_back(options_.paths[shard]);
    }
    return drawn;
  }

  [[noreturn]] void no_sample() const {
    const std::string& first = options_.paths.front();
    const size_t count = options_.paths.size();
    throw Error(fmt::format(
        "no sample of {} has a picture ({}){}",
        count == 1 ? first : fmt::format("{} shards ({} and others)", count, first),
        fmt::join(options_.image_extensions, ", "),
        !options_.need_captions ? ""
        : options_.captions.keys.empty()
            ? fmt::format(" and a caption ({})", options_.text_extension)
            : fmt::format(" and a caption (json: {})", fmt::join(options_.captions.keys, ", "))));
  }

  const ShardOptions& options_;
  uint64_t seed_, epoch_, number_;
  size_t buffer_size_;
  Random random_;
  uint64_t pass_ = 0;
  bool found_in_pass_ = false;
  std::optional<ShardSequence> sequence_;
  std::vector<std::shared_ptr<RawSample>> buffer_;
};

// The lanes of one process, in turn.
class LaneStream : public SampleStream {
 public:
  LaneStream(const ShardOptions& options, uint64_t seed, int64_t epoch, Part part) {
    for (int lane = part.rank; lane < options.lanes; lane += part.processes)
      lanes_.push_back(std::make_unique<Lane>(options, seed, epoch, lane));
  }

  Ticket next() override {
    Ticket ticket{.index = -1, .raw = lanes_[turn_]->next()};
    turn_ = (turn_ + 1) % lanes_.size();
    return ticket;
  }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  size_t turn_ = 0;
};

class ShardDataset : public Dataset {
 public:
  explicit ShardDataset(ShardOptions options) : options_(std::move(options)) {}

  int64_t size() const override { return -1; }

  std::unique_ptr<SampleStream> stream(uint64_t seed, int64_t epoch, Part part) override {
    options_.lanes = choose_lanes(options_);  // not before: a cache needs none
    return std::make_unique<LaneStream>(options_, seed, epoch, part);
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
