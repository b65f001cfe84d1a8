// Batches made ahead of the training step by worker threads.
#pragma once

#include <ATen/ATen.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "augment/augment.h"
#include "data/dataset.h"
#include "data/text_encoder.h"

namespace openclip::train {

struct Batch {
  at::Tensor pixels;  // f32 [count, 3, size, size], channels last
  at::Tensor views;   // f32 [2 * count, 3, size, size]: all first views, then all second ones;
                      // undefined unless asked for
  at::Tensor rows;    // i64 [count]: number of the sample among all of the run
  at::Tensor ids;     // i64 [count, context_length]
  at::Tensor labels;  // i64 [count], -1 = none
  at::Tensor hog;     // f32 [count, kHogLength], undefined unless asked for
  // Captions of other samples, without their pictures: [count * extra_texts, …], undefined if 0.
  at::Tensor extra_ids, extra_labels;
};

struct LoaderOptions {
  int64_t batch_size = 64;
  int64_t batches_per_epoch = 1;  // of this process
  Part part;
  int workers = 4;
  int prefetch = 3;  // batches under way
  uint64_t seed = 0;
  int image_size = 224;
  int context_length = 77;
  int pad_id = 0;
  bool with_hog = false;
  bool need_captions = true;
  bool with_text = true;    // Batch::ids are made
  int64_t extra_texts = 0;  // for each pair; needs a dataset whose samples have numbers
  CaptionOptions captions;
  const Augmenter* view_augmenter = nullptr;  // makes Batch::views; null = none
  bool with_pixels = true;                    // Batch::pixels are made
};

/// Row r of batch b of epoch e is a pure function of (seed, e, b, r), whatever the workers do.
/// Samples that cannot be decoded are left out of their batch and reported.
class Loader {
 public:
  /// Starts at batch `first` of all epochs together (epoch * batches_per_epoch + batch).
  Loader(Dataset& dataset, const Augmenter& augmenter, TextEncoder encode,
         const LoaderOptions& options, int64_t first, Warn warn);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch. Throws what a worker threw, and Error if no sample of a batch was readable.
  Batch next();

 private:
  struct Slot {
    Batch batch;
    std::vector<uint8_t> valid;
    int64_t done = 0;
  };
  struct Job {
    Ticket ticket;
    int64_t batch, row;
  };

  void work();
  std::optional<Job> take(std::unique_lock<std::mutex>& lock);
  bool fill(Job& job, Slot& slot);
  void draw_extra_texts(Random random, int64_t row, Batch& batch);
  void write_ids(const std::string& caption, int64_t* target) const;
  Slot fresh_slot() const;
  int64_t values() const { return 3 * int64_t{options_.image_size} * options_.image_size; }

  Dataset& dataset_;
  const Augmenter& augmenter_;
  TextEncoder encode_;
  const LoaderOptions options_;
  Warn warn_;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::deque<std::unique_ptr<Slot>> slots_;  // slots_[i] is batch first_ + i
  int64_t first_;                            // the batch that next() hands out
  int64_t next_batch_, next_row_ = 0;        // what a worker takes next
  int64_t stream_epoch_ = -1;
  std::unique_ptr<SampleStream> stream_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

}  // namespace openclip::train
