// Tokenizers of Hugging Face and of sentencepiece. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/clean.h"
#include "text/hf_definition.h"
#include "text/tokenizer.h"

namespace openclip {

/// Runs what a tokenizer file describes (byte pairs of bytes or characters, unigram, WordPiece):
/// ids equal those of open_clip 3.3.0's HFTokenizer with the same file. Parts that this engine does
/// not have are refused, not approximated. Only characters newer than the Unicode tables of the
/// Python package `tokenizers` may fall into other classes there than here and so split
/// differently.
class HfTokenizer : public Tokenizer {
 public:
  struct Options {
    int context_length = 77;
    CleanMode clean = CleanMode::whitespace;
    std::string pad_token{};       // empty: the file's own padding, <pad> or [PAD], else id 0
    bool strip_sep_token = false;  // the end token becomes 0, as CLIPA has it
  };

  /// Reads `path` (a tokenizer.json) and, for the padding token, a tokenizer_config.json beside it
  /// if there is one. Throws: NotFound, IoError, ParseError, Unsupported.
  static std::unique_ptr<HfTokenizer> open(const std::string& path, Options options);

  /// Parses the text of a tokenizer.json; `source` names it in errors.
  /// Throws: ParseError, Unsupported.
  HfTokenizer(const std::string& source, std::string_view json_text, Options options);

  /// Throws: ParseError if the padding token is not in it.
  HfTokenizer(const std::string& source, HfDefinition definition, Options options);

  std::string decode(const std::vector<int32_t>& ids) const override;
  int context_length() const override { return options_.context_length; }
  int vocab_size() const override;
  int32_t start_id() const override { return definition_.start_id; }
  int32_t end_id() const override { return stripped(definition_.end_id); }
  int32_t pad_id() const override { return pad_id_; }

 protected:
  void append_tokens(std::string_view text, size_t limit, std::vector<int32_t>* ids) const override;

 private:
  int32_t stripped(int32_t id) const {
    return options_.strip_sep_token && id == definition_.end_id ? 0 : id;
  }

  Options options_;
  HfDefinition definition_;
  int32_t pad_id_ = 0;
};

}  // namespace openclip
