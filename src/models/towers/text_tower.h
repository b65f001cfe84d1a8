// The text transformer. Part of rank 4. Source: open_clip transformer.py TextTransformer and
// model.py CLIP.encode_text, which are the same function with other key names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/towers/token_states.h"
#include "models/towers/token_tree.h"
#include "models/towers/transformer.h"
#include "models/towers/weights.h"
#include "tensor/workspace.h"

namespace openclip {

/// Token and position embeddings -> blocks -> ln_final of the pooled token -> projection.
/// A causal text ends at its pooled token, since nothing after it can change the result, and what
/// texts of a call share from their start on is computed once (TokenTree), equal texts wholly.
/// Others are packed without padding, save where padding is seen (no causal mask). Both are exact.
/// Immutable, usable by many threads.
class TextTower {
 public:
  TextTower(const Context& context, const Weights& weights, const ModelConfig& config);

  /// ids: as Model::encode_text. out: [ids.size(), embed_dim]. The more texts come at once, the
  /// more they share; memory grows by their token ids alone.
  /// Throws: InvalidArgument for empty or too long texts and ids outside of the vocabulary.
  void encode(const Context& context, std::span<const std::vector<int32_t>> ids, Matrix out) const;

  /// The states of all context_length tokens of each text, as Model::encode_text_tokens.
  /// out: [ids.size() * context_length, width].
  void encode_tokens(const Context& context, std::span<const std::vector<int32_t>> ids,
                     const TokenStates& states, Matrix out) const;

  /// One more token of each of `sequences` of a text that is being written: the token's place in
  /// its text is positions[i], x[i] its state after all blocks, without ln_final, as open_clip's
  /// CoCa gives it to its decoder. A token that follows one equal to pad_id is seen by no token,
  /// itself included (see ClsLayout): that is visible[i] = false.
  struct Step {
    std::vector<int64_t> sequences, positions;
    std::vector<int32_t> tokens;
    std::vector<bool> visible;
  };
  void step(const Context& context, Workspace& workspace, const Step& step, KeyValueCache& cache,
            Matrix x) const;
  int64_t block_count() const { return blocks_.block_count(); }
  int64_t context_length() const { return config_.context_length; }

 private:
  /// What of a text is computed, and which of its tokens becomes the feature.
  struct Sequence {
    std::vector<int32_t> ids;
    int64_t pooled = 0;
  };
  /// Checks the ids and fills them up with pad_id to the context length.
  std::vector<int32_t> padded(const std::vector<int32_t>& ids) const;
  Sequence prepare(const std::vector<int32_t>& ids) const;
  void encode_causal(const Context& context, Workspace& workspace, std::span<const Sequence> texts,
                     Matrix out) const;
  void encode_tree(const Context& context, Workspace& workspace, const TokenTree& tree,
                   Matrix out) const;
  void encode_with_cls(const Context& context, Workspace& workspace,
                       std::span<const std::vector<int32_t>> ids, Matrix out) const;
  void encode_sequences(const Context& context, Workspace& workspace,
                        std::span<const Sequence> texts, Matrix out) const;
  void encode_chunk(const Context& context, Workspace& workspace, std::span<const Sequence> texts,
                    Matrix out) const;
  // x[i] = the embedding of ids[i], without its position.
  void embed(const Context& context, std::span<const int32_t> ids, Matrix x) const;
  // out = projection(ln_final(pooled)); destroys pooled.
  void finish(const Context& context, Matrix pooled, Matrix out) const;

  TextConfig config_;
  // The embedding table stays in the mapped file: a text reads few of its rows.
  HeldTensor embedding_;
  Tensor positions_;
  Tensor cls_;  // of embed_cls, without its position
  Transformer blocks_;
  NormWeights ln_final_;
  std::optional<Linear> projection_;
  mutable WorkspacePool workspaces_;
};

}  // namespace openclip
