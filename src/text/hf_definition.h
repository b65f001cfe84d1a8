// What a tokenizer.json says, checked to be CLIP's algorithm. Rank 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"

namespace openclip {

/// A token that is found in the text as it is written.
struct AddedToken {
  std::string content;
  int32_t id = 0;
};

struct HfDefinition {
  BpeModel bpe;
  bool nfc = false;
  bool lower = false;
  bool special_words = false;        // the splitting pattern names CLIP's two special tokens
  std::vector<AddedToken> before{};  // found before normalisation, longest first
  std::vector<AddedToken> after{};   // found in the normalised text, longest first
  int32_t start_id = 0, end_id = 0;
  std::optional<int32_t> pad_id{};
  std::vector<std::string> token_bytes{};          // by id; what decode() writes
  std::unordered_map<std::string, int32_t> ids{};  // by token, added ones included
};

/// Throws: ParseError for what is malformed; Unsupported for any other algorithm.
HfDefinition parse_hf_definition(const std::string& source, std::string_view json_text);

}  // namespace openclip
