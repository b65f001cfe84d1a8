// BERT's vocabulary, one token a line. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/hf_tokenizer.h"
#include "text/tokenizer_config.h"

namespace openclip {

/// The tokenizer that transformers' BertTokenizer makes of a vocab.txt; of `config` do_lower_case
/// (true), strip_accents (as do_lower_case) and tokenize_chinese_chars (true).
/// Throws: NotFound, IoError, ParseError.
std::unique_ptr<HfTokenizer> load_bert_vocabulary(const std::string& path,
                                                  const TokenizerConfig& config,
                                                  HfTokenizer::Options options);

/// The same from the text of the file; `source` names it in errors.
std::unique_ptr<HfTokenizer> parse_bert_vocabulary(const std::string& source, std::string_view text,
                                                   const TokenizerConfig& config,
                                                   HfTokenizer::Options options);

}  // namespace openclip
