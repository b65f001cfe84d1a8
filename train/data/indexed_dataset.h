// A dataset whose samples can be reached by number.
#pragma once

#include "data/dataset.h"

namespace openclip::train {

/// Implements the order: permutation after permutation of all indices.
class IndexedDataset : public Dataset {
 public:
  std::unique_ptr<SampleStream> stream(uint64_t seed, int64_t epoch, Part part) override;
  void each(const std::function<bool(Ticket)>& visit) override;
};

}  // namespace openclip::train
