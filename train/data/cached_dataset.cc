#include <deque>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "data/indexed_dataset.h"

namespace openclip::train {
namespace {

struct CachedSample {
  SampleText text;
  std::shared_ptr<const Image> picture;
  std::string key;
};

class CachedDataset : public IndexedDataset {
 public:
  explicit CachedDataset(std::vector<CachedSample> samples) : samples_(std::move(samples)) {}

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }

  DecodedSample load(Ticket ticket) const override {
    const CachedSample& sample = samples_[ticket.index];
    return {.holder = nullptr, .text = &sample.text, .picture = sample.picture, .key = sample.key};
  }

  const SampleText* text(int64_t index) const override { return &samples_[index].text; }

  int64_t max_label() const override {
    int64_t largest = -1;
    for (const CachedSample& sample : samples_) largest = std::max(largest, sample.text.label);
    return largest;
  }

 private:
  std::vector<CachedSample> samples_;
};

// Decodes on several threads; results keep the order in which samples were read.
class Decoder {
 public:
  Decoder(Dataset& dataset, int64_t max_bytes, const Warn& warn)
      : dataset_(dataset), max_bytes_(max_bytes), warn_(warn) {}

  void run(int threads, const std::function<void(int64_t, int64_t)>& progress) {
    std::vector<Ticket> chunk;
    const auto flush = [&] {
      decode(threads, chunk);
      chunk.clear();
      if (progress) progress(static_cast<int64_t>(samples.size()), bytes_);
      return bytes_ <= max_bytes_;
    };
    dataset_.each([&](Ticket ticket) {
      chunk.push_back(std::move(ticket));
      return chunk.size() < 1024 || flush();
    });
    if (bytes_ <= max_bytes_) flush();
  }

  bool fits() const { return bytes_ <= max_bytes_; }

  std::vector<CachedSample> samples;

 private:
  void decode(int threads, const std::vector<Ticket>& chunk) {
    std::vector<CachedSample> decoded(chunk.size());
    std::mutex mutex;
    size_t next = 0;
    const auto work = [&] {
      while (true) {
        size_t i;
        {
          const std::lock_guard lock(mutex);
          if (next == chunk.size()) return;
          i = next++;
        }
        try {
          DecodedSample sample = dataset_.load(chunk[i]);
          decoded[i] = {*sample.text, std::move(sample.picture), std::move(sample.key)};
        } catch (const Error& error) {
          const std::lock_guard lock(mutex);
          if (warn_) warn_(error.what());
        }
      }
    };
    std::vector<std::jthread> pool;
    for (int t = 0; t < threads; ++t) pool.emplace_back(work);
    pool.clear();
    for (CachedSample& sample : decoded) {
      if (!sample.picture) continue;
      bytes_ += static_cast<int64_t>(sample.picture->pixels.size());
      samples.push_back(std::move(sample));
    }
  }

  Dataset& dataset_;
  const int64_t max_bytes_;
  const Warn& warn_;
  int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Dataset> cache_decoded(std::unique_ptr<Dataset> dataset, int64_t max_bytes,
                                       int threads,
                                       const std::function<void(int64_t, int64_t)>& progress,
                                       const Warn& warn) {
  Decoder decoder(*dataset, max_bytes, warn);
  decoder.run(threads, progress);
  if (!decoder.fits()) return dataset;
  if (decoder.samples.empty()) return dataset;  // the stream says what is missing
  return std::make_unique<CachedDataset>(std::move(decoder.samples));
}

}  // namespace openclip::train
