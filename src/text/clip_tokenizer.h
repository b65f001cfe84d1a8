// CLIP's own tokenizer: open_clip's SimpleTokenizer. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/bpe.h"
#include "text/clean.h"
#include "text/tokenizer.h"

namespace openclip {

/// Byte-level BPE with 49408 tokens: 256 bytes, 256 bytes that end a word, 48894 merges,
/// <start_of_text> and <end_of_text>. Padding is id 0. "<start_of_text>" written in a text gives
/// that token, as in open_clip; OpenAI's "<|startoftext|>" is ordinary text.
/// Ids equal those of open_clip 3.3.0's SimpleTokenizer(clean=...).
class ClipTokenizer : public Tokenizer {
 public:
  static constexpr size_t kMergeCount = 49152 - 256 - 2;

  /// `merges_text`: a line to skip, then one "left right" pair a line, of which the first
  /// kMergeCount are used; fewer give a smaller vocabulary. `source` names it in errors.
  /// Throws: ParseError for a malformed or impossible merge.
  ClipTokenizer(const std::string& source, std::string_view merges_text, int context_length = 77,
                CleanMode clean = CleanMode::lower);

  /// Reads `bpe_simple_vocab_16e6.txt.gz` (or the text unpacked).
  /// Throws: NotFound, IoError, ParseError.
  static std::unique_ptr<ClipTokenizer> open(const std::string& path, int context_length = 77,
                                             CleanMode clean = CleanMode::lower);

  std::string decode(const std::vector<int32_t>& ids) const override;
  int context_length() const override { return context_length_; }
  int vocab_size() const override { return static_cast<int>(token_bytes_.size()) + 2; }
  int32_t start_id() const override { return static_cast<int32_t>(token_bytes_.size()); }
  int32_t end_id() const override { return start_id() + 1; }
  int32_t pad_id() const override { return 0; }

 protected:
  void append_tokens(std::string_view text, size_t limit, std::vector<int32_t>* ids) const override;

 private:
  int context_length_;
  CleanMode clean_;
  BpeModel bpe_;
  std::vector<std::string> token_bytes_;  // what each token stands for; a word's end as a space
};

}  // namespace openclip
