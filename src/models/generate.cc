#include "models/generate.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "models/beam_search.h"
#include "models/next_word.h"

namespace openclip {
namespace {

// Captions that are written side by side: each step reads all of the decoder's weights once. Their
// keys and values take some 5 MB for each.
constexpr int64_t kSequencesAtOnce = 24;

using Captions = std::vector<std::vector<int32_t>>;

std::vector<float> row_of(const std::vector<float>& rows, size_t index, int64_t width) {
  const auto begin = rows.begin() + static_cast<int64_t>(index) * width;
  return {begin, begin + width};
}

// The next scores of each sequence in `sequences`, whose last token is tokens[i]: [n, vocabulary].
std::vector<float> next_scores(const Context& context, CaptionDecoder::Session& session,
                               std::span<const int64_t> sequences, std::span<const int32_t> tokens,
                               int64_t vocabulary) {
  const auto rows = static_cast<int64_t>(sequences.size());
  std::vector<float> scores(static_cast<size_t>(rows * vocabulary));
  session.step(context, sequences, tokens, {scores.data(), rows, vocabulary});
  return scores;
}

Captions search_beams(const Context& context, const Model& model, const float* pixels,
                      int64_t count, const GenerationOptions& options) {
  const int64_t size = options.num_beams / options.num_beam_groups;
  const int64_t vocabulary = model.config().decoder->vocab_size;
  const auto session = model.start_captions(context, pixels, count, size, options.seq_len - 1);
  std::vector<BeamSearch> searches(static_cast<size_t>(count), BeamSearch(options, size));
  while (true) {
    std::vector<int64_t> sequences, parents(static_cast<size_t>(count * size));
    std::vector<int32_t> tokens;
    for (size_t i = 0; i < searches.size(); ++i)
      for (int64_t beam = 0; beam < size && !searches[i].done(); ++beam) {
        sequences.push_back(static_cast<int64_t>(i) * size + beam);
        tokens.push_back(searches[i].beams()[static_cast<size_t>(beam)].back());
      }
    if (sequences.empty()) break;
    const std::vector<float> scores = next_scores(context, *session, sequences, tokens, vocabulary);
    for (size_t i = 0; i < parents.size(); ++i) parents[i] = static_cast<int64_t>(i);
    size_t row = 0;
    for (size_t i = 0; i < searches.size(); ++i) {
      if (searches[i].done()) continue;
      std::vector<std::vector<float>> own;
      for (int64_t beam = 0; beam < size; ++beam) own.push_back(row_of(scores, row++, vocabulary));
      const std::vector<int64_t> from = searches[i].advance(std::move(own));
      const int64_t first = static_cast<int64_t>(i) * size;
      for (int64_t beam = 0; beam < size; ++beam)
        parents[static_cast<size_t>(first + beam)] = first + from[static_cast<size_t>(beam)];
    }
    session->reorder(parents);
  }
  Captions captions;
  for (const BeamSearch& search : searches) captions.push_back(search.best());
  return captions;
}

// first: number of the first picture in the whole call, so that a picture's words do not depend on
// which others are written at the same time.
Captions sample(const Context& context, const Model& model, const float* pixels, int64_t count,
                const GenerationOptions& options, int64_t first) {
  const int64_t vocabulary = model.config().decoder->vocab_size;
  const int32_t pad = model.config().text.pad_id;
  const auto session = model.start_captions(context, pixels, count, 1, options.seq_len - 1);
  Captions captions(static_cast<size_t>(count), {options.start_id});
  std::vector<std::mt19937_64> random;
  for (int64_t i = 0; i < count; ++i)
    random.emplace_back(options.seed + 0x9E3779B97F4A7C15u * static_cast<uint64_t>(first + i));
  std::vector<int64_t> open(captions.size());
  for (size_t i = 0; i < open.size(); ++i) open[i] = static_cast<int64_t>(i);
  while (!open.empty()) {
    std::vector<int32_t> tokens;
    for (const int64_t i : open) tokens.push_back(captions[static_cast<size_t>(i)].back());
    std::vector<float> scores = next_scores(context, *session, open, tokens, vocabulary);
    std::vector<int64_t> still_open;
    for (size_t row = 0; row < open.size(); ++row) {
      std::vector<int32_t>& ids = captions[static_cast<size_t>(open[row])];
      const std::span<float> own(&scores[row * static_cast<size_t>(vocabulary)],
                                 static_cast<size_t>(vocabulary));
      process_scores(own, ids, options);
      // The last place is the end token's.
      const bool last = ids.size() + 1 == static_cast<size_t>(options.seq_len);
      const int32_t word =
          last ? options.end_id : sample_word(own, options, random[static_cast<size_t>(open[row])]);
      // The padding's id ends a text as well, and is none of its words.
      if (word != pad) ids.push_back(word);
      if (word != pad && word != options.end_id) still_open.push_back(open[row]);
    }
    open = std::move(still_open);
  }
  return captions;
}

}  // namespace

void check_generation(const GenerationOptions& options) {
  check_arg(options.min_seq_len >= 0 && options.seq_len > options.min_seq_len,
            "seq_len must be larger than min_seq_len, got {} and {}", options.seq_len,
            options.min_seq_len);
  check_arg(options.seq_len >= 2, "seq_len must be at least 2, got {}", options.seq_len);
  check_arg(options.temperature > 0, "temperature must be above 0, got {}", options.temperature);
  check_arg(options.top_p >= 0 && options.top_p <= 1, "top_p must be from 0 to 1, got {}",
            options.top_p);
  check_arg(options.top_k >= 1, "top_k must be at least 1, got {}", options.top_k);
  check_arg(options.repetition_penalty > 0, "repetition_penalty must be above 0, got {}",
            options.repetition_penalty);
  if (options.type != GenerationType::beam_search) return;
  check_arg(options.num_beams >= 2 && options.num_beams <= 1024,
            "num_beams must be from 2 to 1024, got {}; top_k = 1 is the greedy caption",
            options.num_beams);
  check_arg(options.num_beam_groups >= 1 && options.num_beams % options.num_beam_groups == 0,
            "num_beam_groups must divide num_beams, got {} and {}", options.num_beam_groups,
            options.num_beams);
}

std::vector<std::vector<int32_t>> generate(const Context& context, const Model& model,
                                           const float* pixels, int64_t count,
                                           const GenerationOptions& options) {
  check_generation(options);
  const ModelConfig& config = model.config();
  check_arg(config.decoder.has_value(), "{} writes no captions; take a CoCa, as coca_ViT-L-14",
            config.name);
  for (const int32_t id : {options.start_id, options.end_id})
    check_arg(id >= 0 && id < config.decoder->vocab_size,
              "start and end token must be from 0 to {}, got {}", config.decoder->vocab_size - 1,
              id);
  const bool beams = options.type == GenerationType::beam_search;
  const int64_t each = beams ? options.num_beams / options.num_beam_groups : 1;
  const int64_t at_once = std::max<int64_t>(1, kSequencesAtOnce / each);
  const int64_t image = int64_t{3} * config.vision.image_size * config.vision.image_size;
  Captions all;
  for (int64_t begin = 0; begin < count; begin += at_once) {
    const int64_t part = std::min(at_once, count - begin);
    Captions captions = beams
                            ? search_beams(context, model, pixels + begin * image, part, options)
                            : sample(context, model, pixels + begin * image, part, options, begin);
    std::move(captions.begin(), captions.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace openclip
