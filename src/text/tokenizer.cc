#include "text/tokenizer.h"

#include "base/error.h"

namespace openclip {

std::vector<int32_t> Tokenizer::encode(std::string_view text, int max_tokens,
                                       bool* truncated) const {
  if (max_tokens == 0) max_tokens = context_length();
  check_arg(max_tokens >= 2, "[tokenize] the context must have at least 2 tokens, got {}",
            max_tokens);
  const auto limit = static_cast<size_t>(max_tokens);
  std::vector<int32_t> ids;
  ids.reserve(16);
  ids.push_back(start_id());
  append_tokens(text, limit, &ids);
  ids.push_back(end_id());
  const bool too_long = ids.size() > limit;
  if (too_long) {
    ids.resize(limit);
    ids.back() = end_id();
  }
  if (truncated != nullptr) *truncated = too_long;
  return ids;
}

std::vector<int32_t> Tokenizer::encode_padded(std::string_view text, int context,
                                              bool* truncated) const {
  std::vector<int32_t> ids = encode(text, context, truncated);
  ids.resize(static_cast<size_t>(context == 0 ? context_length() : context), pad_id());
  return ids;
}

}  // namespace openclip
