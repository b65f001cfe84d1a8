// What a tokenizer file of Hugging Face or sentencepiece says. Rank 3.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/hf_normalizer.h"
#include "text/hf_splitter.h"
#include "text/subword_model.h"
#include "text/token_table.h"

namespace openclip {

/// A token that is found in the text as it is written.
struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;             // only where no letter or digit touches it
  bool lstrip = false, rstrip = false;  // takes the white space before or after it along
};

/// How the tokens of a vocabulary write a text, for decoding.
enum class TokenSpelling {
  byte_symbols,  // a character for each byte, words end with `suffix`
  metaspace,     // U+2581 for a space, <0x..> for bytes
  word_piece     // words apart, `suffix` (a prefix here) marks what continues one
};

struct HfDefinition {
  std::shared_ptr<TokenTable> tokens;  // the added ones included
  HfNormalizer normalizer{};
  HfSplitter splitter{};
  std::shared_ptr<const SubwordModel> model{};
  std::vector<AddedToken> before{};  // found before normalisation, longest first
  std::vector<AddedToken> after{};   // found in the normalised text, longest first
  int32_t start_id = TokenTable::kNoToken, end_id = TokenTable::kNoToken;  // or none
  std::optional<int32_t> pad_id{};
  TokenSpelling spelling = TokenSpelling::byte_symbols;
  std::string suffix{};

  /// Takes `token` in, replacing what the vocabulary had of that name.
  void add(AddedToken token, bool normalized);
  /// Call once, after all tokens and normalisers are there.
  void sort_added_tokens();
};

/// A tokenizer.json. Throws: ParseError for what is malformed; Unsupported for algorithms that this
/// engine does not have, which are never approximated.
HfDefinition parse_hf_definition(const std::string& source, std::string_view json_text);

}  // namespace openclip
