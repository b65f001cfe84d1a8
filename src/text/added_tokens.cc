#include "text/added_tokens.h"

#include <bitset>

#include "text/bert_text.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

// The last code point of a text that is not empty, and where it begins.
char32_t last_code_point(std::string_view text, size_t* begin) {
  *begin = text.size() - 1;
  while (*begin > 0 && !starts_code_point(text[*begin])) --*begin;
  size_t at = *begin;
  return next_code_point(text, &at);
}

bool touches_word(std::string_view text, size_t begin, size_t end) {
  size_t ignored;
  if (begin > 0 && is_word(last_code_point(text.substr(0, begin), &ignored))) return true;
  return end < text.size() && is_word(next_code_point(text, &end));
}

struct Match {
  const AddedToken* token = nullptr;
  size_t begin = 0, end = 0;
};

using FirstBytes = std::bitset<256>;

// The leftmost match in text[from, …), the longest of those.
Match find(const std::vector<AddedToken>& tokens, const FirstBytes& first_bytes,
           std::string_view text, size_t from) {
  for (size_t at = from; at < text.size(); ++at) {
    if (!first_bytes[static_cast<unsigned char>(text[at])]) continue;
    for (const AddedToken& token : tokens) {
      const size_t end = at + token.content.size();
      if (text.substr(at).starts_with(token.content) &&
          !(token.single_word && touches_word(text, at, end)))
        return {&token, at, end};
    }
  }
  return {};
}

void take_white_space(std::string_view text, size_t from, Match* match) {
  while (match->token->lstrip && match->begin > from) {
    size_t begin;
    if (!is_white_space(last_code_point(text.substr(0, match->begin), &begin)) || begin < from)
      break;
    match->begin = begin;
  }
  while (match->token->rstrip && match->end < text.size()) {
    size_t at = match->end;
    if (!is_white_space(next_code_point(text, &at))) break;
    match->end = at;
  }
}

}  // namespace

bool split_added_tokens(const std::vector<AddedToken>& tokens, std::string_view text,
                        const std::function<bool(std::string_view)>& piece,
                        const std::function<bool(int32_t)>& token) {
  FirstBytes first_bytes;
  for (const AddedToken& added : tokens)
    first_bytes.set(static_cast<unsigned char>(added.content[0]));
  for (size_t from = 0; from < text.size();) {
    Match match = find(tokens, first_bytes, text, from);
    if (match.token == nullptr) return piece(text.substr(from));
    take_white_space(text, from, &match);
    if (match.begin > from && !piece(text.substr(from, match.begin - from))) return false;
    if (!token(match.token->id)) return false;
    from = match.end;
  }
  return true;
}

}  // namespace openclip
