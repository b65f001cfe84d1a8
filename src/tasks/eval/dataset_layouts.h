// The layouts that open_eval_dataset tells apart, one file each. Rank 5.
#pragma once

#include "tasks/eval/dataset.h"

namespace openclip {

constexpr size_t kMaxListBytes = size_t{1} << 30;  // of caption files; COCO's have 150 MB

/// Whether FOLDER/SPLIT/nshards.txt is there.
bool is_clip_benchmark_folder(const std::string& folder, const std::string& split);
EvalDataset open_clip_benchmark_folder(const std::string& folder,
                                       const EvalDatasetOptions& options);

EvalDataset open_class_folders(const std::string& folder, const EvalDatasetOptions& options);

EvalDataset open_caption_file(const std::string& path, const EvalDatasetOptions& options);

/// Samples that are all known beforehand.
class ListedSamples : public EvalSamples {
 public:
  explicit ListedSamples(std::vector<EvalSample> samples) : samples_(std::move(samples)) {}
  std::optional<EvalSample> next() override {
    if (next_ == samples_.size()) return std::nullopt;
    return std::move(samples_[next_++]);
  }

 private:
  std::vector<EvalSample> samples_;
  size_t next_ = 0;
};

}  // namespace openclip
