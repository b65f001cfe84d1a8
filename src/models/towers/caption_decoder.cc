#include "models/towers/caption_decoder.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {
namespace {

constexpr float kNormEps = 1e-5f;  // open_clip's decoder takes no norm_kwargs

TransformerConfig blocks_of(const DecoderConfig& config, const char* name) {
  return {.prefix = std::string("text_decoder.") + name + ".",
          .width = config.width,
          .heads = config.heads,
          .layers = config.layers,
          .mlp_width = config.mlp_width,
          .layer_scale = config.ls_init_value.has_value(),
          .causal = true,
          .activation = config.activation,
          .norm_eps = kNormEps};
}

}  // namespace

CaptionDecoder::CaptionDecoder(const Context& context, const Weights& weights,
                               const ModelConfig& config, const TextTower& text)
    : config_(*config.decoder),
      pad_id_(config.text.pad_id),
      text_(text),
      blocks_(context, weights, blocks_of(config_, "resblocks")),
      cross_(context, weights, blocks_of(config_, "cross_attn")),
      ln_final_(NormWeights::load(context, weights, "text_decoder.ln_final", kNormEps)),
      projection_(
          weights.linear(context, Weights::LinearNames{.weight = "text_decoder.text_projection",
                                                       .bias = "",
                                                       .layout = Linear::Layout::in_out})) {
  for (int i = 0; i < config_.layers; ++i)
    cross_norms_.push_back(NormWeights::load(
        context, weights, fmt::format("text_decoder.cross_attn.{}.ln_1_kv", i), kNormEps));
}

CaptionDecoder::Session::Session(const CaptionDecoder& decoder, int64_t pictures, int64_t sequences,
                                 int64_t capacity)
    : decoder_(decoder),
      each_(pictures == 0 ? 1 : sequences / pictures),
      text_(decoder.text_.block_count(), sequences, capacity, decoder.config_.width),
      decoded_(decoder.config_.layers, sequences, capacity, decoder.config_.width),
      counts_(static_cast<size_t>(sequences), 0),
      last_tokens_(static_cast<size_t>(sequences), 0) {}

std::unique_ptr<CaptionDecoder::Session> CaptionDecoder::start(const Context& context,
                                                               ConstMatrix tokens, int64_t pictures,
                                                               int64_t each,
                                                               int64_t capacity) const {
  const int64_t limit = std::min<int64_t>(config_.context_length, text_.context_length());
  check_arg(capacity >= 1 && capacity <= limit, "[captions] texts have 1 to {} tokens, got {}",
            limit, capacity);
  check_arg(pictures > 0 && each > 0 && tokens.rows % pictures == 0 && tokens.cols == config_.width,
            "[captions] tokens {} do not fit {} pictures", tokens.shape_str(), pictures);
  std::unique_ptr<Session> session(new Session(*this, pictures, pictures * each, capacity));
  session->picture_tokens_ = tokens.rows / pictures;
  const Workspace::Frame frame(session->workspace_);
  const Matrix normed = session->workspace_.take(tokens.rows, tokens.cols);
  for (int64_t i = 0; i < config_.layers; ++i) {
    Tensor kv{Shape{tokens.rows, 2 * config_.width}};
    cross_norms_[static_cast<size_t>(i)].apply(context, tokens, normed);
    cross_.key_values(context, i, normed, {kv.data(), tokens.rows, 2 * config_.width});
    session->pictures_.push_back(std::move(kv));
  }
  return session;
}

void CaptionDecoder::Session::step(const Context& context, std::span<const int64_t> sequences,
                                   std::span<const int32_t> tokens, Matrix logits) {
  const CaptionDecoder& decoder = decoder_;
  TextTower::Step step;
  std::vector<AttentionSpan> picture_spans;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto sequence = static_cast<size_t>(sequences[i]);
    check_arg(tokens[i] >= 0 && tokens[i] < decoder.config_.vocab_size,
              "[captions] token ids must be from 0 to {}, got {}", decoder.config_.vocab_size - 1,
              tokens[i]);
    step.sequences.push_back(sequences[i]);
    step.tokens.push_back(tokens[i]);
    step.positions.push_back(counts_[sequence]);
    step.visible.push_back(counts_[sequence] == 0 || last_tokens_[sequence] != decoder.pad_id_);
    picture_spans.push_back({i, 1, static_cast<size_t>(sequences[i] / each_ * picture_tokens_),
                             static_cast<size_t>(picture_tokens_)});
    last_tokens_[sequence] = tokens[i];
    ++counts_[sequence];
  }
  const Workspace::Frame frame(workspace_);
  const Matrix x = workspace_.take(static_cast<int64_t>(sequences.size()), decoder.config_.width);
  decoder.text_.step(context, workspace_, step, text_, x);
  const std::vector<bool> all(sequences.size(), true);
  for (int64_t i = 0; i < decoder.config_.layers; ++i) {
    decoder.blocks_.step_block(context, workspace_, i, x, sequences, all, decoded_);
    decoder.cross_.attend_block(context, workspace_, i, x,
                                pictures_[static_cast<size_t>(i)].matrix(), picture_spans);
  }
  decoded_.advance(sequences, all);
  decoder.ln_final_.apply(context, x, x);
  linear(context, x, decoder.projection_, logits);
}

void CaptionDecoder::Session::reorder(std::span<const int64_t> parents) {
  text_.reorder(parents);
  decoded_.reorder(parents);
  const std::vector<int64_t> counts = counts_;
  const std::vector<int32_t> last = last_tokens_;
  for (size_t i = 0; i < parents.size(); ++i) {
    counts_[i] = counts[static_cast<size_t>(parents[i])];
    last_tokens_[i] = last[static_cast<size_t>(parents[i])];
  }
}

}  // namespace openclip
