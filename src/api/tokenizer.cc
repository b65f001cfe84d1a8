// Tokenizer of the C++ API. Rank 6.
#include "openclip/tokenizer.h"

#include <limits>

#include "api/impl.h"
#include "api/translate.h"

namespace openclip::v0 {

Tokens Tokenizer::operator()(std::span<const std::string> texts, int context_length) const {
  return translated([&] {
    const openclip::Tokenizer& tokenizer = *impl_->tokenizer;
    Tokens tokens;
    tokens.rows = texts.size();
    tokens.context_length =
        static_cast<size_t>(context_length == 0 ? tokenizer.context_length() : context_length);
    for (size_t i = 0; i < texts.size(); ++i) {
      size_t cut = 0;
      const auto ids = tokenizer.encode_padded(texts[i], context_length, &cut);
      tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
      if (cut > 0) tokens.truncated.push_back(i);
    }
    return tokens;
  });
}

std::vector<int32_t> Tokenizer::encode(const std::string& text) const {
  return translated([&] {
    const openclip::Tokenizer& tokenizer = *impl_->tokenizer;
    std::vector<int32_t> ids = tokenizer.encode(text, std::numeric_limits<int>::max());
    if (!ids.empty() && ids.back() == tokenizer.end_id()) ids.pop_back();
    if (!ids.empty() && ids.front() == tokenizer.start_id()) ids.erase(ids.begin());
    return ids;
  });
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  return translated(
      [&] { return impl_->tokenizer->decode(std::vector<int32_t>(ids.begin(), ids.end())); });
}

int Tokenizer::context_length() const { return impl_->tokenizer->context_length(); }
int Tokenizer::vocab_size() const { return impl_->tokenizer->vocab_size(); }
int32_t Tokenizer::sot_token_id() const { return impl_->tokenizer->start_id(); }
int32_t Tokenizer::eot_token_id() const { return impl_->tokenizer->end_id(); }
int32_t Tokenizer::pad_token_id() const { return impl_->tokenizer->pad_id(); }

}  // namespace openclip::v0
