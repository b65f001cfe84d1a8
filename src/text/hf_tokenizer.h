// Hugging Face tokenizer.json files that hold CLIP's algorithm. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/bpe.h"
#include "text/clean.h"
#include "text/tokenizer.h"

namespace openclip {

/// The padding token of a tokenizer's folder; empty if its files name none. As in transformers, a
/// special_tokens_map.json is asked before the tokenizer_config.json, unless that is of the newer
/// kind that lists all added tokens: Stable Diffusion 2 has another token in each.
/// Throws: IoError, ParseError.
std::string read_pad_token(const std::string& folder);

/// Byte-level BPE with an end-of-word suffix, a vocabulary of its own, and CLIP's splitting
/// pattern: ids equal those of open_clip 3.3.0's HFTokenizer with the same file. Tokenizers of
/// another kind (WordPiece, Unigram, other patterns or normalisers) are refused, not approximated.
/// Only characters newer than the Unicode tables of the Python package `tokenizers` may fall into
/// other classes there than here and so split differently.
class HfTokenizer : public Tokenizer {
 public:
  struct Options {
    int context_length = 77;
    CleanMode clean = CleanMode::whitespace;
    std::string pad_token{};  // empty: the file's own padding, else id 0
  };

  /// Reads `path` (a tokenizer.json) and, for the padding token, the files beside it. Throws: NotFound, IoError, ParseError, Unsupported.
  static std::unique_ptr<HfTokenizer> open(const std::string& path, Options options);

  /// Parses the text of a tokenizer.json; `source` names it in errors.
  /// Throws: ParseError, Unsupported.
  HfTokenizer(const std::string& source, std::string_view json_text, Options options);

  std::string decode(const std::vector<int32_t>& ids) const override;
  int context_length() const override { return options_.context_length; }
  int vocab_size() const override;
  int32_t start_id() const override;
  int32_t end_id() const override;
  int32_t pad_id() const override;

 protected:
  void append_tokens(std::string_view text, size_t limit, std::vector<int32_t>* ids) const override;

 private:
  struct Definition;
  void append_words(std::string_view text, size_t limit, std::vector<int32_t>* ids) const;

  Options options_;
  std::shared_ptr<const Definition> definition_;
};

}  // namespace openclip
