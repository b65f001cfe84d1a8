// CoCa's multimodal decoder: from a picture's tokens and the words so far to the next word. Part of
// rank 4. Source: open_clip transformer.py MultimodalTransformer, coca_model.py CoCa.forward.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/towers/text_tower.h"

namespace openclip {

/// The text tower's token states -> for each layer a causal block, then a block that attends to the
/// picture -> ln_final -> scores of all words. Text is written one token at a time: keys and values
/// of earlier tokens and of the picture are kept. Immutable, usable by many threads.
class CaptionDecoder {
 public:
  /// text: the model's text tower, which must outlive the decoder.
  CaptionDecoder(const Context& context, const Weights& weights, const ModelConfig& config,
                 const TextTower& text);

  /// Texts that are being written about pictures. For one thread at a time.
  class Session {
   public:
    /// One more token for each of `sequences` (all different): logits[i], [vocab_size], says what
    /// may follow it. Throws: InvalidArgument for ids outside of the vocabulary and for more tokens
    /// than the session was made for.
    void step(const Context& context, std::span<const int64_t> sequences,
              std::span<const int32_t> tokens, Matrix logits);

    /// Sequence i goes on as sequence parents[i] was; both must belong to one picture.
    void reorder(std::span<const int64_t> parents);

   private:
    friend class CaptionDecoder;
    Session(const CaptionDecoder& decoder, int64_t pictures, int64_t sequences, int64_t capacity);

    const CaptionDecoder& decoder_;
    int64_t each_;                // sequences of one picture
    int64_t picture_tokens_ = 0;  // of each picture
    KeyValueCache text_, decoded_;
    std::vector<Tensor> pictures_;      // of each layer: [pictures * picture_tokens, 2 * width]
    std::vector<int64_t> counts_;       // tokens of each sequence
    std::vector<int32_t> last_tokens_;  // of each sequence
    Workspace workspace_;
  };

  /// Starts `each` sequences for each of `pictures`, of up to `capacity` tokens.
  /// tokens: [pictures * n, width], the tokens of one picture after the other.
  std::unique_ptr<Session> start(const Context& context, ConstMatrix tokens, int64_t pictures,
                                 int64_t each, int64_t capacity) const;

  int64_t vocab_size() const { return config_.vocab_size; }

 private:
  DecoderConfig config_;
  int32_t pad_id_;
  const TextTower& text_;
  Transformer blocks_, cross_;
  std::vector<NormWeights> cross_norms_;  // ln_1_kv of each layer
  NormWeights ln_final_;
  Linear projection_;
};

}  // namespace openclip
