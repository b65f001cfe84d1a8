#include "data/indexed_dataset.h"

#include <numeric>

namespace openclip::train {
namespace {

class PermutedStream : public SampleStream {
 public:
  PermutedStream(uint64_t seed, int64_t epoch, int64_t size, Part part)
      : seed_(seed), epoch_(epoch), part_(part), position_(part.rank), order_(size) {}

  Ticket next() override {
    const int64_t size = static_cast<int64_t>(order_.size());
    const int64_t pass = position_ / size;
    if (pass != shuffled_pass_) {
      std::iota(order_.begin(), order_.end(), 0);
      Random random{seed_, static_cast<uint64_t>(epoch_), static_cast<uint64_t>(pass), kPurpose};
      random.shuffle(order_);
      shuffled_pass_ = pass;
    }
    const Ticket ticket{.index = order_[position_ % size], .raw = nullptr};
    position_ += part_.processes;
    return ticket;
  }

  void skip(int64_t count) override { position_ += count * part_.processes; }

 private:
  static constexpr uint64_t kPurpose = 0x0DE5;  // keeps this stream apart from augmentations

  uint64_t seed_;
  int64_t epoch_;
  Part part_;
  int64_t position_;
  int64_t shuffled_pass_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace

std::unique_ptr<SampleStream> IndexedDataset::stream(uint64_t seed, int64_t epoch, Part part) {
  return std::make_unique<PermutedStream>(seed, epoch, size(), part);
}

void IndexedDataset::each(const std::function<bool(Ticket)>& visit) {
  const int64_t count = size();
  for (int64_t i = 0; i < count; ++i)
    if (!visit({.index = i, .raw = nullptr})) return;
}

}  // namespace openclip::train
