// WordPiece: the longest token first. Rank 3.
#pragma once

#include <memory>
#include <string>

#include "text/subword_model.h"
#include "text/token_table.h"

namespace openclip {

/// Tokens inside of a word carry `prefix` in the vocabulary. A word that cannot be cut, or of more
/// than `longest_word` characters, is `unknown` as a whole.
/// Source: tokenizers 0.22, WordPiece::tokenize.
class WordPieceModel : public SubwordModel {
 public:
  struct Options {
    std::string prefix = "##";
    int32_t unknown = 0;
    size_t longest_word = 100;
  };
  WordPieceModel(std::shared_ptr<const TokenTable> tokens, Options options);

  void encode_word(std::string_view word, std::vector<int32_t>* ids) const override;

 private:
  int32_t longest_token(std::string_view word, size_t* begin) const;

  std::shared_ptr<const TokenTable> tokens_;
  Options options_;
};

}  // namespace openclip
