#include "text/bert_files.h"

#include "base/error.h"
#include "base/file.h"
#include "text/file_limits.h"
#include "text/word_piece.h"

namespace openclip {
namespace {

constexpr int32_t kMaxTokens = 1 << 22;

}  // namespace

std::unique_ptr<HfTokenizer> load_bert_vocabulary(const std::string& path,
                                                  const TokenizerConfig& config,
                                                  HfTokenizer::Options options) {
  return parse_bert_vocabulary(path, read_text_file(path, kMaxTokenizerFileBytes), config,
                               std::move(options));
}

std::unique_ptr<HfTokenizer> parse_bert_vocabulary(const std::string& source, std::string_view text,
                                                   const TokenizerConfig& config,
                                                   HfTokenizer::Options options) {
  HfDefinition definition{.tokens = std::make_shared<TokenTable>()};
  int32_t id = 0;
  for (size_t begin = 0; begin < text.size(); ++id) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view token = text.substr(begin, end - begin);
    if (token.ends_with('\r')) token.remove_suffix(1);
    if (id == kMaxTokens) throw ParseError(source, "more than 2^22 tokens");
    if (!token.empty()) definition.tokens->add(token, id);
    begin = end + 1;
  }
  const auto known = [&](const char* token) {
    const int32_t found = definition.tokens->find(token);
    if (found < 0) throw ParseError(source, fmt::format("lacks the token {}", token));
    return found;
  };
  for (const char* token : {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"})
    definition.add({.content = token, .id = known(token)}, /*normalized=*/false);
  const bool lower = config.flag("do_lower_case", true);
  definition.normalizer.add(
      BertNormalization{.clean_text = true,
                        .chinese_chars = config.flag("tokenize_chinese_chars", true),
                        .strip_accents = config.flag("strip_accents", lower),
                        .lowercase = lower});
  definition.splitter.add(splitters::WhiteSpace{.punctuation = true});
  definition.spelling = TokenSpelling::word_piece;
  definition.suffix = "##";
  definition.model = std::make_shared<WordPieceModel>(
      definition.tokens, WordPieceModel::Options{.unknown = known("[UNK]")});
  definition.start_id = known("[CLS]");
  definition.end_id = known("[SEP]");
  definition.sort_added_tokens();
  return std::make_unique<HfTokenizer>(source, std::move(definition), std::move(options));
}

}  // namespace openclip
