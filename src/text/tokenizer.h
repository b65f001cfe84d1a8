// What a text tower needs of any tokenizer. Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// Turns a text into token ids. Implementations are immutable and thread-safe.
///
/// Texts are UTF-8; bytes that are not become U+FFFD (one for each maximal part of a sequence), as
/// Python's bytes.decode("utf-8", "replace") does. Python's own command line would keep such bytes
/// as lone surrogates, which open_clip's cleaning turns into U+FFFD too.
class Tokenizer {
 public:
  static constexpr int32_t kNone = -1;

  virtual ~Tokenizer() = default;

  /// Ids with the start and end tokens (where the tokenizer has them), without padding, at most
  /// `max_tokens` of them (0: context_length()). A longer text is cut and its last id is the end
  /// token; `*cut` (may be null) is how many ids did not fit, for which the whole text is read.
  /// Throws: InvalidArgument if max_tokens is 1 or negative.
  std::vector<int32_t> encode(std::string_view text, int max_tokens = 0,
                              size_t* cut = nullptr) const;

  /// As encode, filled up with pad_id() to exactly `context` ids (0: context_length()).
  std::vector<int32_t> encode_padded(std::string_view text, int context = 0,
                                     size_t* cut = nullptr) const;

  /// The text that ids stand for: bytes joined, word ends as spaces, start, end and padding kept
  /// out. Ids beyond the vocabulary are an InvalidArgument.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;

  virtual int context_length() const = 0;
  virtual int vocab_size() const = 0;
  virtual int32_t start_id() const = 0;  // kNone: texts begin without one
  virtual int32_t end_id() const = 0;    // kNone: and end without one
  virtual int32_t pad_id() const = 0;

 protected:
  /// Appends the ids of the text itself; may stop once `limit` are there.
  virtual void append_tokens(std::string_view text, size_t limit,
                             std::vector<int32_t>* ids) const = 0;
};

}  // namespace openclip
