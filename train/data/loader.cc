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
  if (options_.with_pixels)
    slot.batch.pixels =
        at::empty({rows, 3, size, size}, at::kFloat, at::MemoryFormat::ChannelsLast);
  if (options_.view_augmenter != nullptr)
    slot.batch.views =
        at::empty({2 * rows, 3, size, size}, at::kFloat, at::MemoryFormat::ChannelsLast);
  slot.batch.rows = at::zeros({rows}, at::kLong);
  slot.batch.ids = at::full({rows, options_.context_length}, options_.pad_id, at::kLong);
  slot.batch.labels = at::full({rows}, -1, at::kLong);
  if (options_.extra_texts > 0) {
    const int64_t extra = rows * options_.extra_texts;
    slot.batch.extra_ids = at::full({extra, options_.context_length}, options_.pad_id, at::kLong);
    slot.batch.extra_labels = at::full({extra}, -1, at::kLong);
  }
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
    stream_ = dataset_.stream(options_.seed, epoch, options_.part);
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

void Loader::write_ids(const std::string& caption, int64_t* target) const {
  const std::vector<int64_t> ids = encode_(caption);
  std::copy_n(ids.data(),
              std::min<int64_t>(static_cast<int64_t>(ids.size()), options_.context_length), target);
}

// Any samples' captions; a sample without one is drawn again.
void Loader::draw_extra_texts(Random random, int64_t row, Batch& batch) {
  const int64_t size = dataset_.size();
  for (int64_t i = row * options_.extra_texts; i < (row + 1) * options_.extra_texts; ++i) {
    const SampleText* text = nullptr;
    const std::string* caption = nullptr;
    while (caption == nullptr) {
      text = dataset_.text(static_cast<int64_t>(random.below(size)));
      caption = choose_caption(*text, options_.captions, random);
    }
    write_ids(*caption, batch.extra_ids.data_ptr<int64_t>() + i * options_.context_length);
    batch.extra_labels.data_ptr<int64_t>()[i] = text->label;
  }
}

// Makes one row; false if the sample is unusable.
bool Loader::fill(Job& job, Slot& slot) {
  const int64_t epoch = job.batch / options_.batches_per_epoch;
  // Counted over all processes, which take turns.
  const int64_t position =
      (job.batch % options_.batches_per_epoch * options_.batch_size + job.row) *
          options_.part.processes +
      options_.part.rank;
  const auto stream = [&](uint64_t purpose) {
    return Random{options_.seed, static_cast<uint64_t>(epoch), static_cast<uint64_t>(position),
                  purpose};
  };
  try {
    const DecodedSample sample = dataset_.load(std::move(job.ticket));
    Random random = stream(1);
    const std::string* caption = choose_caption(*sample.text, options_.captions, random);
    if (caption == nullptr && options_.need_captions) return false;
    if (caption != nullptr && options_.with_text)
      write_ids(*caption, slot.batch.ids.data_ptr<int64_t>() + job.row * options_.context_length);
    if (options_.extra_texts > 0) draw_extra_texts(stream(3), job.row, slot.batch);
    slot.batch.labels.data_ptr<int64_t>()[job.row] = sample.text->label;
    slot.batch.rows.data_ptr<int64_t>()[job.row] =
        epoch * options_.batches_per_epoch * options_.batch_size * options_.part.processes +
        position;
    const PicturePermissions permissions{sample.text->flip, sample.text->recolour};
    if (options_.with_pixels)
      augmenter_.augment(
          *sample.picture, permissions, stream(2),
          slot.batch.pixels.data_ptr<float>() + job.row * values(),
          options_.with_hog ? slot.batch.hog.data_ptr<float>() + job.row * kHogLength : nullptr);
    for (int view = 0; options_.view_augmenter != nullptr && view < 2; ++view)
      options_.view_augmenter->augment(
          *sample.picture, permissions, stream(4 + view),
          slot.batch.views.data_ptr<float>() + (view * options_.batch_size + job.row) * values(),
          nullptr);
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
  for (at::Tensor* part : {&batch.pixels, &batch.ids, &batch.labels, &batch.hog, &batch.rows})
    if (part->defined()) *part = part->index_select(0, index);
  if (batch.views.defined())
    batch.views = batch.views.index_select(0, at::cat({index, index + options_.batch_size}));
  if (options_.extra_texts > 0) {  // those of unreadable rows were never drawn
    const at::Tensor extra =
        (index.unsqueeze(1) * options_.extra_texts + at::arange(options_.extra_texts)).flatten();
    batch.extra_ids = batch.extra_ids.index_select(0, extra);
    batch.extra_labels = batch.extra_labels.index_select(0, extra);
  }
  return batch;
}

}  // namespace openclip::train
