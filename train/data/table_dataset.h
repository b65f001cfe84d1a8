// Pictures on disk with their captions: what CSV files and folder trees come down to.
#pragma once

#include "data/indexed_dataset.h"

namespace openclip::train {

struct TableRow {
  std::string picture;  // path
  SampleText text;
};

/// A dataset of rows; pictures are read when their turn comes.
std::unique_ptr<Dataset> make_table(std::vector<TableRow> rows, int64_t max_image_pixels);

}  // namespace openclip::train
