#include "data/loader.h"

#include <algorithm>

#include "augment/hog.h"
#include "base/error.h"

namespace openclip::train {

Loader::Loader(Dataset& dataset, const Augmenter& augmenter, TextEncoder encode,
               const LoaderOptions& options, int64_t first, Warn warn)
    : dataset_(dataset),
      augmenter_(augmenter),
      encode_(std::move(encode)),
      options_(options),
      warn_(std::move(warn)),
      first_(first),
      next_batch_(first) {
  for (int i = 0; i < std::max(1, options_.prefetch); ++i)
    slots_.push_back(std::make_unique<Slot>(fresh_slot()));
  for (int i = 0; i < std::max(1, options_.workers); ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
}

Loader::Slot Loader::fresh_slot() const {
  const int64_t rows = options_.batch_size, size = options_.image_size;
  Slot slot;
  slot.batch.pixels = at::empty({rows, 3, size, size}, at::kFloat, at::MemoryFormat::ChannelsLast);
  slot.batch.ids = at::full({rows, options_.context_length}, options_.pad_id, at::kLong);
  slot.batch.labels = at::full({rows}, -1, at::kLong);
  if (options_.with_hog) slot.batch.hog = at::empty({rows, kHogLength}, at::kFloat);
  slot.valid.assign(rows, 0);
  return slot;
}

// The next row to make, or nullopt when the loader ends. Waits while enough batches are under way.
std::optional<Loader::Job> Loader::take(std::unique_lock<std::mutex>& lock) {
  room_.wait(lock, [&] {
    return stopping_ || next_batch_ < first_ + static_cast<int64_t>(slots_.size());
  });
  if (stopping_) return std::nullopt;
  const int64_t epoch = next_batch_ / options_.batches_per_epoch;
  if (epoch != stream_epoch_) {
    stream_ = dataset_.stream(options_.seed, epoch);
    stream_epoch_ = epoch;
    const int64_t batch = next_batch_ % options_.batches_per_epoch;
    stream_->skip(batch * options_.batch_size + next_row_);
  }
  Job job{stream_->next(), next_batch_, next_row_};
  if (++next_row_ == options_.batch_size) {
    next_row_ = 0;
    ++next_batch_;
  }
  return job;
}

// Makes one row; false if the sample is unusable.
bool Loader::fill(Job& job, Slot& slot) {
  const int64_t epoch = job.batch / options_.batches_per_epoch;
  const int64_t position = job.batch % options_.batches_per_epoch * options_.batch_size + job.row;
  const auto stream = [&](uint64_t purpose) {
    return Random{options_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(position),
                  purpose};
  };
  try {
    const DecodedSample sample = dataset_.load(std::move(job.ticket));
    Random random = stream(1);
    const std::string* caption = choose_caption(*sample.text, options_.captions, random);
    if (caption == nullptr) return false;
    const std::vector<int64_t> ids = encode_(*caption);
    const int64_t length =
        std::min<int64_t>(static_cast<int64_t>(ids.size()), options_.context_length);
    std::copy_n(ids.data(), length,
                slot.batch.ids.data_ptr<int64_t>() + job.row * options_.context_length);
    slot.batch.labels.data_ptr<int64_t>()[job.row] = sample.text->label;
    const int64_t values = 3 * int64_t{options_.image_size} * options_.image_size;
    augmenter_.augment(
        *sample.picture, {.flip = sample.text->flip, .recolour = sample.text->recolour}, stream(2),
        slot.batch.pixels.data_ptr<float>() + job.row * values,
        options_.with_hog ? slot.batch.hog.data_ptr<float>() + job.row * kHogLength : nullptr);
    return true;
  } catch (const Error& error) {
    if (warn_) warn_(error.what());
    return false;
  }
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  try {
    while (std::optional<Job> job = take(lock)) {
      Slot& slot = *slots_[job->batch - first_];  // stays in place until all its rows are done
      lock.unlock();
      const bool valid = fill(*job, slot);
      lock.lock();
      slot.valid[job->row] = valid;
      if (++slot.done == options_.batch_size) ready_.notify_all();
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    failure_ = std::current_exception();
    stopping_ = true;
    ready_.notify_all();
    room_.notify_all();
  }
}

Batch Loader::next() {
  std::unique_ptr<Slot> slot;
  {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return failure_ || slots_.front()->done == options_.batch_size; });
    if (failure_) std::rethrow_exception(failure_);
    slot = std::move(slots_.front());
    slots_.pop_front();
    slots_.push_back(std::make_unique<Slot>(fresh_slot()));
    ++first_;
  }
  room_.notify_all();
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < options_.batch_size; ++i)
    if (slot->valid[i]) rows.push_back(i);
  if (rows.empty()) throw Error("no sample of a whole batch could be read; see the warnings above");
  Batch batch = std::move(slot->batch);
  if (static_cast<int64_t>(rows.size()) == options_.batch_size) return batch;
  const at::Tensor index = at::tensor(rows, at::kLong);
  for (at::Tensor* part : {&batch.pixels, &batch.ids, &batch.labels, &batch.hog})
    if (part->defined()) *part = part->index_select(0, index);
  return batch;
}

}  // namespace openclip::train
