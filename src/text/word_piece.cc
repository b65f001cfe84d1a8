#include "text/word_piece.h"

#include <algorithm>

#include "text/utf8.h"

namespace openclip {
WordPieceModel::WordPieceModel(std::shared_ptr<const TokenTable> tokens, Options options)
    : tokens_(std::move(tokens)), options_(std::move(options)) {}

// The longest token at *begin, which moves past it; kNoToken if there is none.
int32_t WordPieceModel::longest_token(std::string_view word, size_t* begin) const {
  const std::string prefix = *begin > 0 ? options_.prefix : "";
  size_t end = std::min(word.size(), *begin + tokens_->longest());
  for (; end > *begin; --end) {
    if (end < word.size() && !starts_code_point(word[end])) continue;
    const int32_t id = tokens_->find(prefix + std::string(word.substr(*begin, end - *begin)));
    if (id < 0) continue;
    *begin = end;
    return id;
  }
  return TokenTable::kNoToken;
}

void WordPieceModel::encode_word(std::string_view word, std::vector<int32_t>* ids) const {
  const size_t before = ids->size();
  bool known = static_cast<size_t>(std::count_if(word.begin(), word.end(), starts_code_point)) <=
               options_.longest_word;
  for (size_t begin = 0; known && begin < word.size();) {
    const int32_t id = longest_token(word, &begin);
    known = id >= 0;
    if (known) ids->push_back(id);
  }
  if (known) return;
  ids->resize(before);
  ids->push_back(options_.unknown);
}

}  // namespace openclip
