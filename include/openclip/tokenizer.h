// From texts to token ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "openclip/namespace.h"

namespace openclip::v0 {

/// Token ids of texts, one text a row: start token, text, end token, padding.
struct Tokens {
  std::size_t rows = 0;
  std::size_t context_length = 0;
  std::vector<std::int32_t> ids{};       ///< rows * context_length
  std::vector<std::size_t> truncated{};  ///< rows whose text was too long and was cut
};

/// A model's tokenizer. Ids equal those of open_clip's get_tokenizer(name)(texts). Texts are UTF-8.
/// Copies are cheap; thread-safe.
class OPENCLIP_EXPORT Tokenizer {
 public:
  /// context_length: 0 = that of the model. A longer text is cut; its last id is the end token.
  /// Throws: InvalidArgument for a context_length of 1 or below 0.
  Tokens operator()(std::span<const std::string> texts, int context_length = 0) const;
  Tokens operator()(std::initializer_list<std::string> texts, int context_length = 0) const {
    return (*this)(std::span<const std::string>(texts.begin(), texts.size()), context_length);
  }
  Tokens operator()(const std::string& text, int context_length = 0) const {
    return (*this)(std::span<const std::string>(&text, 1), context_length);
  }

  /// The ids of a text alone: no start, end or padding, never cut.
  std::vector<std::int32_t> encode(const std::string& text) const;
  /// The text that ids stand for. Throws: InvalidArgument for ids beyond the vocabulary.
  std::string decode(std::span<const std::int32_t> ids) const;

  int context_length() const;
  int vocab_size() const;
  std::int32_t sot_token_id() const;
  std::int32_t eot_token_id() const;
  std::int32_t pad_token_id() const;

  struct Impl;  // the engine's side, for the library itself
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

struct TokenizerOptions {
  int context_length = 0;      ///< 0: that of the model
  std::string cache_dir = {};  ///< as in ModelOptions
};

/// The tokenizer of a model, named as in create_model_and_transforms; its weights are not needed.
/// Throws: NotFound, NetworkError, ParseError, Unsupported, InvalidArgument.
OPENCLIP_EXPORT Tokenizer get_tokenizer(const std::string& model_name = "",
                                        const TokenizerOptions& options = {});

}  // namespace openclip::v0
