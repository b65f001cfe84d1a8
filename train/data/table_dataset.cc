#include "data/table_dataset.h"

#include "base/file.h"
#include "data/decode.h"

namespace openclip::train {
namespace {

constexpr size_t kMaxPictureBytes = size_t{1} << 30;

class TableDataset : public IndexedDataset {
 public:
  TableDataset(std::vector<TableRow> rows, int64_t max_image_pixels)
      : rows_(std::move(rows)), max_image_pixels_(max_image_pixels) {}

  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }

  DecodedSample load(Ticket ticket) const override {
    const TableRow& row = rows_[ticket.index];
    const std::vector<uint8_t> bytes = read_file(row.picture, kMaxPictureBytes);
    return {.holder = nullptr,
            .text = &row.text,
            .picture = decode_picture(bytes, row.picture, max_image_pixels_),
            .key = row.picture};
  }

  const SampleText* text(int64_t index) const override { return &rows_[index].text; }

  int64_t max_label() const override {
    int64_t largest = -1;
    for (const TableRow& row : rows_) largest = std::max(largest, row.text.label);
    return largest;
  }

 private:
  std::vector<TableRow> rows_;
  int64_t max_image_pixels_;
};

}  // namespace

std::unique_ptr<Dataset> make_table(std::vector<TableRow> rows, int64_t max_image_pixels) {
  return std::make_unique<TableDataset>(std::move(rows), max_image_pixels);
}

}  // namespace openclip::train
