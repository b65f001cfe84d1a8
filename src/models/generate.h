// Captions: text that a CoCa writes about pictures. Rank 4. Source: open_clip coca_model.py
// CoCa.generate, whose names and defaults these are.
#pragma once

#include <cstdint>
#include <vector>

#include "models/model.h"

namespace openclip {

enum class GenerationType { beam_search, top_p, top_k };

struct GenerationOptions {
  GenerationType type = GenerationType::beam_search;
  int seq_len = 30;     // tokens of a caption at most, start and end token included
  int min_seq_len = 5;  // no end token before so many
  double temperature = 1;
  double top_p = 0.1;  // sampling: of the words that have this probability together
  int top_k = 1;       // sampling: of the k best words; 1 = greedy
  int num_beams = 6;
  int num_beam_groups = 3;
  double repetition_penalty = 1;  // of words that are there already; 1 = none
  uint64_t seed = 0;              // of sampling; the same seed gives the same words
  int32_t start_id = 49406, end_id = 49407;
};

/// Throws: InvalidArgument naming the option that makes no sense.
void check_generation(const GenerationOptions& options);

/// A caption for each of `count` pictures, as token ids from the start token on; the end token is
/// the last one unless the caption is cut at seq_len. Where Python pads, there is nothing here.
///
/// beam_search is open_clip's: it adds up raw scores, not logarithms of probabilities, divides by
/// the length, and its groups of beams do not see each other, so that all groups find the same;
/// only one is computed here. top_k with k = 1 is the greedy caption. Both equal Python's token for
/// token; sampling draws from the same probabilities with another random generator.
/// pixels: [count, 3, size, size]. Throws: InvalidArgument for bad options and where the model is
/// no CoCa loaded with LoadOptions::captions; Unsupported for a CoCa with a text tower of
/// transformers.
std::vector<std::vector<int32_t>> generate(const Context& context, const Model& model,
                                           const float* pixels, int64_t count,
                                           const GenerationOptions& options = {});

}  // namespace openclip
