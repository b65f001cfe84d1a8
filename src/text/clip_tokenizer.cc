#include "text/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "text/byte_symbols.h"
#include "text/clip_split.h"
#include "text/gzip.h"
#include "text/utf8.h"

namespace openclip {
namespace {

constexpr std::string_view kWordEnd = "</w>";
constexpr size_t kMaxVocabBytes = size_t{32} << 20;

// Vocabulary numbers: bytes in CLIP's order, then the same at the end of a word.
std::array<int32_t, 256> byte_tokens(int32_t first) {
  std::array<int32_t, 256> tokens{};
  for (size_t i = 0; i < 256; ++i)
    tokens[bytes_in_clip_order()[i]] = first + static_cast<int32_t>(i);
  return tokens;
}

std::vector<std::string_view> merge_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size() && lines.size() <= ClipTokenizer::kMergeCount;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!lines.empty()) lines.erase(lines.begin());  // "#version: 0.2"
  return lines;
}

std::string byte_symbol_text(unsigned char byte) {
  std::string text;
  append_utf8(byte_symbol(byte), &text);
  return text;
}

}  // namespace

ClipTokenizer::ClipTokenizer(const std::string& source, std::string_view merges_text,
                             int context_length, CleanMode clean)
    : context_length_(context_length),
      clean_(clean),
      bpe_(byte_tokens(0), byte_tokens(256), BpeModel::kNoToken, kMergeCount) {
  check_arg(context_length >= 2, "[ClipTokenizer] context_length must be at least 2, got {}",
            context_length);
  std::unordered_map<std::string, int32_t> tokens;  // vocabulary text -> id
  for (const std::string_view suffix : {std::string_view(), kWordEnd}) {
    for (const unsigned char byte : bytes_in_clip_order()) {
      tokens.emplace(byte_symbol_text(byte) + std::string(suffix),
                     static_cast<int32_t>(tokens.size()));
      token_bytes_.push_back(std::string(1, static_cast<char>(byte)) + (suffix.empty() ? "" : " "));
    }
  }
  const auto lines = merge_lines(merges_text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const size_t space = lines[i].find(' ');
    const auto fail = [&](const char* problem) -> void {
      throw ParseError(source, fmt::format("line {}: {}", i + 2, problem));
    };
    if (space == std::string_view::npos || lines[i].find(' ', space + 1) != std::string_view::npos)
      fail("a merge is two tokens with a space between");
    const std::string left(lines[i].substr(0, space)), right(lines[i].substr(space + 1));
    const auto left_id = tokens.find(left), right_id = tokens.find(right);
    if (left_id == tokens.end() || right_id == tokens.end()) fail("a merge of an unknown token");
    const int32_t merged = static_cast<int32_t>(tokens.size());
    bpe_.add_merge(left_id->second, right_id->second, merged);
    token_bytes_.push_back(token_bytes_[static_cast<size_t>(left_id->second)] +
                           token_bytes_[static_cast<size_t>(right_id->second)]);
    if (!tokens.emplace(left + right, merged).second) fail("a merge gives a token that exists");
  }
}

std::unique_ptr<ClipTokenizer> ClipTokenizer::open(const std::string& path, int context_length,
                                                   CleanMode clean) {
  const std::string text = read_maybe_gzip(path, kMaxVocabBytes);
  return std::make_unique<ClipTokenizer>(path, text, context_length, clean);
}

void ClipTokenizer::append_tokens(std::string_view text, size_t limit,
                                  std::vector<int32_t>* ids) const {
  const std::string cleaned = clean_text(text, clean_);
  size_t position = 0;
  while (ids->size() < limit) {
    const std::string_view word = next_clip_word(cleaned, &position);
    if (word.empty()) break;
    if (word == "<start_of_text>")
      ids->push_back(start_id());
    else if (word == "<end_of_text>")
      ids->push_back(end_id());
    else
      bpe_.encode_word(word, ids);
  }
}

std::string ClipTokenizer::decode(const std::vector<int32_t>& ids) const {
  std::string text;
  for (const int32_t id : ids) {
    check_arg(id >= 0 && id < vocab_size(), "[decode] token {} of a vocabulary of {}", id,
              vocab_size());
    if (id == end_id()) break;
    if (id != start_id()) text += token_bytes_[static_cast<size_t>(id)];
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace openclip
