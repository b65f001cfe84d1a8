#include "data/indexed_dataset.h"

namespace openclip::train {
namespace {

class SyntheticDataset : public IndexedDataset {
 public:
  SyntheticDataset(int64_t count, int size)
      : count_(count),
        picture_(std::make_shared<const Image>(make_image(PixelMode::rgb, size, size))) {
    text_.by_key = {{"Dummy caption"}};
  }

  int64_t size() const override { return count_; }

  DecodedSample load(Ticket) const override {
    return {.holder = nullptr, .text = &text_, .picture = picture_, .key = "synthetic"};
  }

 private:
  int64_t count_;
  std::shared_ptr<const Image> picture_;
  SampleText text_;
};

}  // namespace

std::unique_ptr<Dataset> open_synthetic(int64_t count, int image_size) {
  return std::make_unique<SyntheticDataset>(count, image_size);
}

}  // namespace openclip::train
