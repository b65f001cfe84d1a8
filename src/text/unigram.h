// The unigram model of sentencepiece: the cut with the best sum of scores. Rank 3.
#pragma once

#include <memory>
#include <vector>

#include "text/subword_model.h"
#include "text/token_table.h"

namespace openclip {

/// Viterbi over all cuts into tokens, in double precision, as `tokenizers` computes it. A character
/// that no token covers costs the lowest score less 10 and gives `unknown`; neighbours of that kind
/// give one. With `byte_fallback` such characters become the tokens <0x00> to <0xFF> of their
/// bytes, where the vocabulary has them.
/// Source: Kudo 2018, arXiv:1804.10959; tokenizers 0.22, Unigram::encode_optimized.
class UnigramModel : public SubwordModel {
 public:
  /// scores[id] belongs to the token `id` of `tokens`. The two must outlive the model.
  UnigramModel(std::shared_ptr<const TokenTable> tokens, std::vector<double> scores,
               int32_t unknown, bool byte_fallback);

  void encode_word(std::string_view word, std::vector<int32_t>* ids) const override;

 private:
  struct Node;
  void search(std::string_view word, std::vector<Node>* nodes) const;
  void append_unknown(std::string_view text, std::vector<int32_t>* ids) const;

  std::shared_ptr<const TokenTable> tokens_;
  std::vector<double> scores_;
  int32_t unknown_;
  double unknown_score_;
  bool byte_fallback_;
};

/// Appends the tokens <0x00> to <0xFF> of `bytes`; false, and nothing, unless `tokens` has all.
bool append_byte_tokens(const TokenTable& tokens, std::string_view bytes,
                        std::vector<int32_t>* ids);

}  // namespace openclip
