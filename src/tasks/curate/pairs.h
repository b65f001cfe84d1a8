// Picture-text pairs of a shard, decoded ahead of their use, in order. Rank 5.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "image/preprocess.h"
#include "io/webdataset.h"
#include "tasks/curate/curate.h"
#include "tasks/ordered_prefetch.h"

namespace openclip {

/// One sample of a shard. row.reason says why it needs no look by the model: "no_picture",
/// "no_caption", or a plain rule that it breaks.
struct CuratePair {
  WebdatasetSample sample;
  CurateRow row;
  std::vector<float> pixels;  // [3, height, width]; empty where there is a reason
  std::string problem;        // one line for the user, of a picture that cannot be read
};

/// Reads and decodes one shard on the context's number of threads while the caller computes.
class PairStream {
 public:
  /// on_problem gets what is wrong with members of the archive; called by one thread at a time.
  /// Throws: NotFound, IoError, ParseError if the shard is no archive.
  PairStream(const Context& context, const std::string& shard, const CurateRequest& request,
             const PreprocessConfig& config,
             std::function<void(const std::string& problem)> on_problem);

  std::optional<CuratePair> next() { return prefetch_.next(); }

 private:
  WebdatasetReader reader_;
  OrderedPrefetch<WebdatasetSample, CuratePair> prefetch_;
};

}  // namespace openclip
