// Text towers of Hugging Face transformers: RoBERTa and XLM-RoBERTa. Part of rank 4. Source:
// transformers models/roberta/modeling_roberta.py, open_clip hf_model.py HFTextEncoder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/towers/transformer.h"
#include "models/towers/weights.h"
#include "tensor/workspace.h"

namespace openclip {

/// Embeddings and their norm -> layers whose norms come after the residual -> pooler -> projection.
/// Python pads and masks; here the tokens of all texts lie back to back and padding is not
/// computed, which is the same function. Immutable, usable by many threads.
class HfTextTower {
 public:
  HfTextTower(const Context& context, const Weights& weights, const ModelConfig& config);

  /// ids: as Model::encode_text; ids equal to pad_id are left out wherever they stand, as the mask
  /// does. out: [ids.size(), embed_dim].
  /// Throws: InvalidArgument for texts that are too long, hold nothing but padding or ids outside
  /// of the vocabulary.
  void encode(const Context& context, std::span<const std::vector<int32_t>> ids, Matrix out) const;

 private:
  struct Layer {
    Linear q, k, v, attention_out, intermediate, out;
    NormWeights attention_norm, norm;
  };

  std::vector<int32_t> real_tokens(const std::vector<int32_t>& ids) const;
  void encode_chunk(const Context& context, Workspace& workspace,
                    std::span<const std::vector<int32_t>> texts, Matrix out) const;
  void embed(const Context& context, std::span<const int32_t> ids, Matrix x) const;
  void run_layer(const Context& context, Workspace& workspace, const Layer& layer, Matrix x,
                 std::span<const AttentionSpan> spans) const;
  /// pooled [spans.size(), width], the state of each text.
  void pool(const Context& context, Workspace& workspace, ConstMatrix x,
            std::span<const AttentionSpan> spans, Matrix pooled) const;

  TextConfig config_;
  // The embedding table stays in the mapped file: a text reads few of its rows.
  HeldTensor embedding_;
  Tensor positions_;  // the first token type added to each
  NormWeights embedding_norm_;
  std::vector<Layer> layers_;
  std::optional<Linear> pooler_, proj_hidden_, proj_;
  mutable WorkspacePool workspaces_;
};

}  // namespace openclip
