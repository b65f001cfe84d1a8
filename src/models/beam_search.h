// Beam search for one picture's caption. Part of rank 4. Source: open_clip coca_model.py
// CoCa._generate_beamsearch, transformers beam_search.py BeamSearchScorer.
#pragma once

#include <cstdint>
#include <vector>

#include "models/next_word.h"

namespace openclip {

/// One group of beams: some captions that are being written, and the best that are complete.
class BeamSearch {
 public:
  /// beams: of the group. All begin with the start token.
  BeamSearch(const GenerationOptions& options, int64_t beams);

  bool done() const { return done_; }
  const std::vector<std::vector<int32_t>>& beams() const { return beams_; }

  /// One more token for each beam. scores[i]: of all words after beams()[i]; taken apart.
  /// Returns from which beam each goes on.
  std::vector<int64_t> advance(std::vector<std::vector<float>> scores);

  /// The best caption. Open beams count too, unless enough complete ones ended the search.
  std::vector<int32_t> best() const;

 private:
  struct Hypothesis {
    double score = 0;  // per token
    std::vector<int32_t> ids;
  };
  static void add(std::vector<Hypothesis>& hypotheses, size_t most, Hypothesis hypothesis);

  GenerationOptions options_;
  std::vector<std::vector<int32_t>> beams_;
  std::vector<float> beam_scores_;
  std::vector<Hypothesis> complete_;  // at most as many as beams, in order of arrival
  bool done_ = false, enough_ = false;
};

}  // namespace openclip
