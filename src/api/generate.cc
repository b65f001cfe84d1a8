// Captions of the C++ API. Rank 6.
#include "models/generate.h"

#include <algorithm>

#include "api/impl.h"
#include "api/translate.h"
#include "base/error.h"
#include "openclip/model.h"
#include "tasks/caption.h"

namespace openclip::v0 {
namespace {

GenerationType generation_type(const std::string& name) {
  if (name == "beam_search") return GenerationType::beam_search;
  if (name == "top_p") return GenerationType::top_p;
  if (name == "top_k") return GenerationType::top_k;
  throw InvalidArgument(
      fmt::format("generation_type must be beam_search, top_p or top_k, got '{}'", name));
}

GenerationOptions engine_options(const GenerateOptions& options) {
  return {.type = generation_type(options.generation_type),
          .seq_len = options.seq_len,
          .min_seq_len = options.min_seq_len,
          .temperature = options.temperature,
          .top_p = options.top_p,
          .top_k = options.top_k,
          .num_beams = options.num_beams,
          .num_beam_groups = options.num_beam_groups,
          .repetition_penalty = options.repetition_penalty,
          .seed = options.seed,
          .start_id = options.sot_token_id,
          .end_id = options.eos_token_id};
}

}  // namespace

Tokens Model::generate(std::span<const float> pixels, const GenerateOptions& options) const {
  return translated([&] {
    const ModelConfig& config = impl_->source.config;
    const GenerationOptions generation = engine_options(options);
    check_captions(config, generation);
    check_arg(impl_->towers == Towers::both, "[generate] captions need both towers of {}",
              config.name);
    const size_t count = impl_->count_pictures("generate", pixels.size());
    const auto captions = openclip::generate(impl_->context, *impl_->model, pixels.data(),
                                             static_cast<int64_t>(count), generation);
    Tokens tokens{.rows = count};
    for (const auto& caption : captions)
      tokens.context_length = std::max(tokens.context_length, caption.size());
    for (auto caption : captions) {
      caption.resize(tokens.context_length, 0);
      tokens.ids.insert(tokens.ids.end(), caption.begin(), caption.end());
    }
    return tokens;
  });
}

}  // namespace openclip::v0
