#include "tasks/conditioning.h"

#include <algorithm>

#include "base/error.h"
#include "models/diffusers.h"

namespace openclip {
namespace {

size_t encoder_count(DiffusionPipeline pipeline) {
  return pipeline == DiffusionPipeline::sdxl ? 2 : 1;
}

// What the pipeline takes from its encoder number `index`.
ConditioningEncoder recipe(DiffusionPipeline pipeline, size_t index, ModelSource source,
                           int clip_skip) {
  check_arg(clip_skip >= 0, "clip_skip must not be negative, got {}", clip_skip);
  ConditioningEncoder encoder{.source = std::move(source)};
  const bool is_xl = pipeline == DiffusionPipeline::sdxl;
  const bool shortened = pipeline == DiffusionPipeline::sd2 && encoder.source.config.text_only;
  const int skipped = pipeline == DiffusionPipeline::sd1 || shortened ? 0 : 1;
  encoder.negative_states = {.layer = -1 - skipped, .final_norm = !is_xl};
  encoder.states = encoder.negative_states;
  encoder.states.layer -= clip_skip;
  encoder.pads_with_end = pipeline == DiffusionPipeline::sd1 || (is_xl && index == 0);
  encoder.wants_pooled = is_xl && index == 1;
  return encoder;
}

std::vector<int32_t> padded_ids(const Tokenizer& tokenizer, const ConditioningEncoder& encoder,
                                const std::string& prompt, std::string* left_out) {
  const auto length = static_cast<size_t>(encoder.source.config.text.context_length);
  size_t cut = 0;
  std::vector<int32_t> ids = tokenizer.encode(prompt, static_cast<int>(length), &cut);
  if (cut > 0) {
    const std::vector<int32_t> all = tokenizer.encode(prompt, INT32_MAX);
    *left_out = tokenizer.decode({all.begin() + static_cast<int64_t>(length) - 1, all.end() - 1});
  }
  const int32_t pad = encoder.own_padding     ? tokenizer.pad_id()
                      : encoder.pads_with_end ? tokenizer.end_id()
                                              : 0;
  ids.resize(length, pad);
  return ids;
}

// Appends the columns `states` [tokens, width] on the right of the conditioning's.
void append_columns(Conditioning& to, const float* states, int64_t tokens, int64_t width) {
  check_arg(to.width == 0 || to.tokens == tokens,
            "the two text encoders have different context lengths, {} and {}", to.tokens, tokens);
  std::vector<float> joined;
  joined.reserve(static_cast<size_t>(tokens * (to.width + width)));
  for (int64_t i = 0; i < tokens; ++i) {
    const auto left = to.states.begin() + i * to.width;
    joined.insert(joined.end(), left, left + to.width);
    joined.insert(joined.end(), states + i * width, states + (i + 1) * width);
  }
  to.states = std::move(joined);
  to.tokens = tokens;
  to.width += width;
}

// texts: the prompts, then `negatives` negative prompts.
void run_encoder(const Context& context, const ConditioningEncoder& encoder,
                 const std::vector<std::string>& texts, size_t negatives,
                 std::vector<Conditioning>& out) {
  const auto model = load_model(context, encoder.source, {.towers = Towers::text_only});
  const auto tokenizer = load_tokenizer(encoder.source);
  std::vector<std::vector<int32_t>> ids;
  for (size_t i = 0; i < texts.size(); ++i)
    ids.push_back(padded_ids(*tokenizer, encoder, texts[i], &out[i].left_out));
  const int64_t tokens = model->config().text.context_length, width = model->config().text.width;
  const auto each = static_cast<size_t>(tokens * width);
  std::vector<float> states(texts.size() * each);
  const size_t prompts = texts.size() - negatives;
  const std::span<const std::vector<int32_t>> all = ids;
  model->encode_text_tokens(context, all.first(prompts), encoder.states, states.data());
  model->encode_text_tokens(context, all.subspan(prompts), encoder.negative_states,
                            states.data() + prompts * each);
  for (size_t i = 0; i < texts.size(); ++i)
    append_columns(out[i], &states[i * each], tokens, width);
  if (!encoder.wants_pooled) return;
  const auto dim = static_cast<size_t>(model->config().embed_dim);
  std::vector<float> pooled(texts.size() * dim);
  model->encode_text(context, ids, pooled.data());
  for (size_t i = 0; i < texts.size(); ++i)
    out[i].pooled.assign(&pooled[i * dim], &pooled[i * dim] + dim);
}

}  // namespace

DiffusionPipeline diffusion_pipeline(std::string_view name) {
  if (name == "sd1") return DiffusionPipeline::sd1;
  if (name == "sd2") return DiffusionPipeline::sd2;
  check_arg(name == "sdxl", "the pipeline must be sd1, sd2 or sdxl, got '{}'", name);
  return DiffusionPipeline::sdxl;
}

ConditioningPlan plan_conditioning(DiffusionPipeline pipeline, const std::string& diffusers_folder,
                                   int clip_skip) {
  DiffusersModel model = find_diffusers_model(diffusers_folder);
  ConditioningPlan plan{
      .pipeline = pipeline,
      .zero_negative = pipeline == DiffusionPipeline::sdxl && model.force_zeros_for_empty_prompt};
  for (DiffusersModel::Encoder& encoder : model.encoders) {
    const size_t index = encoder.name == "text_encoder" ? 0 : 1;
    if (index >= encoder_count(pipeline)) continue;
    plan.encoders.push_back(recipe(pipeline, index, std::move(encoder.source), clip_skip));
    plan.encoders.back().own_padding = encoder.own_tokenizer;
  }
  // SDXL's refiner has only the second encoder, which also gives the pooled vector.
  if (plan.encoders.empty() ||
      (pipeline == DiffusionPipeline::sdxl && !plan.encoders.back().wants_pooled))
    throw NotFound(fmt::format("{}: no {} in this folder, which the pipeline needs",
                               diffusers_folder,
                               plan.encoders.empty() ? "text_encoder" : "text_encoder_2"));
  return plan;
}

ConditioningPlan plan_conditioning(DiffusionPipeline pipeline, std::vector<ModelSource> sources,
                                   int clip_skip) {
  check_arg(sources.size() == encoder_count(pipeline),
            "the pipeline has {} text encoder{}, but {} given", encoder_count(pipeline),
            encoder_count(pipeline) == 1 ? "" : "s",
            sources.size() == 1 ? "1 was" : fmt::format("{} were", sources.size()));
  ConditioningPlan plan{.pipeline = pipeline, .zero_negative = pipeline == DiffusionPipeline::sdxl};
  for (size_t i = 0; i < sources.size(); ++i)
    plan.encoders.push_back(recipe(pipeline, i, std::move(sources[i]), clip_skip));
  return plan;
}

std::vector<NamedEncoder> default_encoders(DiffusionPipeline pipeline) {
  const NamedEncoder large{"ViT-L-14", "openai"};
  if (pipeline == DiffusionPipeline::sd1) return {large};
  if (pipeline == DiffusionPipeline::sd2) return {{"ViT-H-14", "laion2b_s32b_b79k"}};
  return {large, {"ViT-bigG-14", "laion2b_s39b_b160k"}};
}

int64_t expected_width(DiffusionPipeline pipeline) {
  if (pipeline == DiffusionPipeline::sd1) return 768;
  return pipeline == DiffusionPipeline::sd2 ? 1024 : 768 + 1280;
}

std::vector<Conditioning> encode_prompts(const Context& context, const ConditioningPlan& plan,
                                         const std::vector<std::string>& prompts,
                                         const std::optional<std::string>& negative) {
  std::vector<std::string> texts = prompts;
  if (negative) texts.push_back(*negative);
  std::vector<Conditioning> out(texts.size());
  for (const ConditioningEncoder& encoder : plan.encoders)
    run_encoder(context, encoder, texts, negative ? 1 : 0, out);
  return out;
}

Conditioning zero_conditioning(const Conditioning& like) {
  Conditioning zero = like;
  std::fill(zero.states.begin(), zero.states.end(), 0.0f);
  std::fill(zero.pooled.begin(), zero.pooled.end(), 0.0f);
  zero.left_out.clear();
  return zero;
}

}  // namespace openclip
