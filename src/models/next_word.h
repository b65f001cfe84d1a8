// From scores to the next word. Part of rank 4.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "models/generate.h"

namespace openclip {

/// What open_clip does to the scores of all words before it looks at them: none for the end token
/// while `ids` is shorter than min_seq_len; those of words in `ids` are divided by
/// repetition_penalty, negative ones multiplied with it. Source: transformers logits_process.py
/// MinLengthLogitsProcessor, RepetitionPenaltyLogitsProcessor.
void process_scores(std::span<float> scores, std::span<const int32_t> ids,
                    const GenerationOptions& options);

/// Draws a word from softmax(kept scores / temperature), where top_k keeps the k best words (and
/// their equals), top_p the smallest set of best words that has at least the probability top_p
/// together. Source: transformers TopKLogitsWarper, TopPLogitsWarper.
int32_t sample_word(std::span<const float> scores, const GenerationOptions& options,
                    std::mt19937_64& random);

/// One of the best continuations of some beams.
struct Continuation {
  float score = 0;
  int64_t beam = 0;
  int32_t token = 0;
};

/// The `count` largest of scores[beam][token], best first; equal ones by beam and token.
std::vector<Continuation> best_continuations(const std::vector<std::vector<float>>& scores,
                                             size_t count);

}  // namespace openclip
