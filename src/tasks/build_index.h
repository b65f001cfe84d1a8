// Fills and updates an index from pictures and vectors. Rank 5.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "index/index_writer.h"
#include "models/model.h"

namespace openclip {

struct BuildRequest {
  std::vector<std::string> inputs;  // what open_feed takes
  size_t batch = 32;                // pictures of one pass through the tower
  double commit_seconds = 2;        // work that a killed process may lose
};

/// What has been done so far.
struct BuildCounts {
  int64_t added = 0, changed = 0, unchanged = 0, removed = 0;
  int64_t skipped = 0;  // inputs that could not be read
  int64_t done() const { return added + changed + unchanged + skipped; }
};

/// Whom to tell while it runs; each may be null.
struct BuildListener {
  std::function<void(const std::string& problem)> on_skipped;
  /// total: of all inputs, nullopt while it is not known.
  std::function<void(const BuildCounts& counts, std::optional<int64_t> total)> on_progress;
};

/// Brings the index in step with the inputs: adds what is new, replaces what changed (told by size
/// and time, then by content hash), leaves the rest alone, and removes what was there when the same
/// input was indexed before and is gone. Pictures whose content the index has under another path
/// are not computed again. Killed at any moment, it leaves an index of all that was committed, and
/// the next run goes on from there. Memory does not grow with the number of pictures.
/// model: may be null if all inputs are vectors. Throws: errors of the writer and of the tower;
/// problems of single inputs are told and counted.
BuildCounts build_index(const Context& context, const Model* model, IndexWriter& writer,
                        const BuildRequest& request, const BuildListener& listener = {});

}  // namespace openclip
