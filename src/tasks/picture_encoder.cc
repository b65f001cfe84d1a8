#include "tasks/picture_encoder.h"

#include <utility>

#include "base/error.h"

namespace openclip {
namespace {

constexpr size_t kKnownFloats = size_t{1} << 20;  // features of a generation
constexpr size_t kRowsOfABatch = 16;  // times its size: rows that wait when most are known already

}  // namespace

PictureEncoder::PictureEncoder(size_t batch, size_t features_each, Encode encode, Sink sink)
    : batch_(batch), each_(features_each), encode_(std::move(encode)), sink_(std::move(sink)) {
  check_arg(batch > 0, "[encode] batch must be above 0");
}

const std::vector<float>* PictureEncoder::find_known(const std::string& digest) const {
  for (const Known* known : {&recent_, &older_})
    if (const auto found = known->find(digest); found != known->end()) return &found->second;
  return nullptr;
}

void PictureEncoder::add(PreparedImage image) {
  Row row{std::move(image.ref), std::move(image.digest), 0, {}};
  if (const std::vector<float>* features = find_known(row.digest)) {
    row.features = *features;
  } else {
    const auto [entry, is_new] = in_batch_.try_emplace(row.digest, in_batch_.size());
    row.index = entry->second;
    if (is_new) pixels_.insert(pixels_.end(), image.pixels.begin(), image.pixels.end());
  }
  rows_.push_back(std::move(row));
  if (in_batch_.size() == batch_ || rows_.size() == kRowsOfABatch * batch_) flush();
}

void PictureEncoder::finish() {
  if (!rows_.empty()) flush();
}

void PictureEncoder::flush() {
  std::vector<float> features(in_batch_.size() * each_);
  if (!in_batch_.empty())
    encode_(pixels_.data(), static_cast<int64_t>(in_batch_.size()), features.data());
  const auto of_index = [&](size_t index) {
    return std::span<const float>(features).subspan(index * each_, each_);
  };
  for (const Row& row : rows_)
    sink_(row.ref, row.features.empty() ? of_index(row.index) : row.features);
  for (const auto& [digest, index] : in_batch_) {
    if ((recent_.size() + 1) * each_ > kKnownFloats) older_ = std::exchange(recent_, {});
    const std::span<const float> own = of_index(index);
    recent_.emplace(digest, std::vector<float>(own.begin(), own.end()));
  }
  rows_.clear();
  pixels_.clear();
  in_batch_.clear();
}

}  // namespace openclip
