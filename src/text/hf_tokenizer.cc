#include "text/hf_tokenizer.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "text/added_tokens.h"
#include "text/file_limits.h"
#include "text/hf_decode.h"
#include "text/tokenizer_config.h"

namespace openclip {
namespace {

// What transformers' classes take for padding where no file says it.
int32_t usual_padding(const TokenTable& tokens) {
  for (const char* token : {"<pad>", "[PAD]"})
    if (const int32_t id = tokens.find(token); id >= 0) return id;
  return 0;
}

}  // namespace

HfTokenizer::HfTokenizer(const std::string& source, HfDefinition definition, Options options)
    : options_(std::move(options)), definition_(std::move(definition)) {
  check_arg(options_.context_length >= 2, "[HfTokenizer] context_length must be at least 2, got {}",
            options_.context_length);
  if (options_.pad_token.empty()) {
    pad_id_ = definition_.pad_id.value_or(usual_padding(*definition_.tokens));
    return;
  }
  pad_id_ = definition_.tokens->find(options_.pad_token);
  if (pad_id_ < 0)
    throw ParseError(source, fmt::format("pad token '{}' is not in it", options_.pad_token));
}

HfTokenizer::HfTokenizer(const std::string& source, std::string_view json_text, Options options)
    : HfTokenizer(source, parse_hf_definition(source, json_text), std::move(options)) {}

std::unique_ptr<HfTokenizer> HfTokenizer::open(const std::string& path, Options options) {
  const std::string text = read_text_file(path, kMaxTokenizerJsonBytes);
  const auto folder = std::filesystem::path(path).parent_path();
  if (options.pad_token.empty())
    options.pad_token = TokenizerConfig::read(folder.string()).token("pad_token");
  return std::make_unique<HfTokenizer>(path, text, std::move(options));
}

int HfTokenizer::vocab_size() const {
  return std::max({definition_.tokens->size(), definition_.start_id + 1, definition_.end_id + 1});
}

void HfTokenizer::append_tokens(std::string_view text, size_t limit,
                                std::vector<int32_t>* ids) const {
  const std::string cleaned = clean_text(text, options_.clean);
  const auto push = [&](int32_t id) {
    ids->push_back(id);
    return ids->size() < limit;
  };
  const size_t before = ids->size();
  const auto encode_word = [&](std::string_view word) {
    definition_.model->encode_word(word, ids);
    return ids->size() < limit;
  };
  const auto encode_piece = [&](std::string_view piece) {
    const bool at_start = piece.data() == cleaned.data();
    const std::string normal = definition_.normalizer.apply(piece);
    return split_added_tokens(
        definition_.after, normal,
        [&](std::string_view words) {
          definition_.splitter.split(words, at_start && words.data() == normal.data(), encode_word);
          return ids->size() < limit;
        },
        push);
  };
  split_added_tokens(definition_.before, cleaned, encode_piece, push);
  if (options_.strip_sep_token)
    std::replace(ids->begin() + static_cast<ptrdiff_t>(before), ids->end(), definition_.end_id, 0);
}

std::string HfTokenizer::decode(const std::vector<int32_t>& ids) const {
  std::vector<int32_t> kept;
  for (const int32_t id : ids) {
    check_arg(id >= 0 && id < vocab_size(), "[decode] token {} of a vocabulary of {}", id,
              vocab_size());
    if (id == end_id()) break;
    if (id != start_id() && id != pad_id_) kept.push_back(id);
  }
  return decode_tokens(definition_, kept);
}

}  // namespace openclip
