#include "text/hf_decode.h"

#include "text/byte_symbols.h"
#include "text/utf8.h"

namespace openclip {
namespace {

constexpr std::string_view kSpace = "\u2581";

std::string byte_symbols(std::string_view token, const std::string& suffix) {
  const bool ends_word = !suffix.empty() && token.ends_with(suffix);
  if (ends_word) token.remove_suffix(suffix.size());
  std::string bytes;
  for (size_t i = 0; i < token.size();)
    if (const auto byte = symbol_byte(next_code_point(token, &i)))
      bytes.push_back(static_cast<char>(*byte));
  if (ends_word) bytes.push_back(' ');
  return bytes;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string metaspace(std::string_view token) {
  if (token.size() == 6 && token.starts_with("<0x") && token.back() == '>') {
    const int high = hex_digit(token[3]), low = hex_digit(token[4]);
    if (high >= 0 && low >= 0) return std::string(1, static_cast<char>(high * 16 + low));
  }
  std::string text;
  for (size_t begin = 0; begin < token.size();) {
    const size_t at = std::min(token.find(kSpace, begin), token.size());
    text += token.substr(begin, at - begin);
    if (at < token.size()) text += ' ';
    begin = std::min(at + kSpace.size(), token.size());
  }
  return text;
}

std::string word_piece(std::string_view token, const std::string& prefix) {
  if (!prefix.empty() && token.starts_with(prefix)) return std::string(token.substr(prefix.size()));
  return std::string(" ").append(token);
}

}  // namespace

std::string decode_tokens(const HfDefinition& definition, const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) {
    const std::string_view token = definition.tokens->token(id);
    switch (definition.spelling) {
      case TokenSpelling::byte_symbols:
        text += byte_symbols(token, definition.suffix);
        break;
      case TokenSpelling::metaspace:
        text += metaspace(token);
        break;
      case TokenSpelling::word_piece:
        text += word_piece(token, definition.suffix);
        break;
    }
  }
  const bool leads = text.starts_with(' ');
  if (text.size() > 1 && text.ends_with(' ')) text.pop_back();
  return encode_utf8(decode_utf8(std::string_view(text).substr(leads ? 1 : 0)));
}

}  // namespace openclip
