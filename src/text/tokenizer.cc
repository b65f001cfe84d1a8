#include "text/tokenizer.h"

#include <limits>

#include "base/error.h"

namespace openclip {

std::vector<int32_t> Tokenizer::encode(std::string_view text, int max_tokens, size_t* cut) const {
  if (max_tokens == 0) max_tokens = context_length();
  check_arg(max_tokens >= 2, "[tokenize] the context must have at least 2 tokens, got {}",
            max_tokens);
  const auto limit = static_cast<size_t>(max_tokens);
  std::vector<int32_t> ids;
  ids.reserve(16);
  if (start_id() != kNone) ids.push_back(start_id());
  append_tokens(text, cut == nullptr ? limit : std::numeric_limits<size_t>::max(), &ids);
  if (end_id() != kNone) ids.push_back(end_id());
  if (cut != nullptr) *cut = ids.size() > limit ? ids.size() - limit : 0;
  if (ids.size() <= limit) return ids;
  ids.resize(limit);
  if (end_id() != kNone) ids.back() = end_id();
  return ids;
}

std::vector<int32_t> Tokenizer::encode_padded(std::string_view text, int context,
                                              size_t* cut) const {
  std::vector<int32_t> ids = encode(text, context, cut);
  ids.resize(static_cast<size_t>(context == 0 ? context_length() : context), pad_id());
  return ids;
}

}  // namespace openclip
