// CLIP's and RoBERTa's tokenizers as the files of Hugging Face transformers: vocab.json and
// merges.txt. Rank 3.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "text/hf_tokenizer.h"

namespace openclip {

/// The tokenizer that transformers' CLIPTokenizer makes of a folder's vocab.json and merges.txt
/// (and the padding token of tokenizer_config.json). Throws: NotFound, IoError, ParseError.
std::unique_ptr<HfTokenizer> load_clip_files(const std::string& folder,
                                             HfTokenizer::Options options);

/// The same for RobertaTokenizer: GPT-2's pattern, <s> and </s>.
std::unique_ptr<HfTokenizer> load_roberta_files(const std::string& folder,
                                                HfTokenizer::Options options);

/// CLIP's own vocabulary (bpe_simple_vocab_16e6.txt, unpacked; `source` names it in errors) as the
/// files that CLIPTokenizer and `tokenizers` read: name -> content of vocab.json, merges.txt,
/// tokenizer.json, tokenizer_config.json and special_tokens_map.json. `context_length` is written
/// as model_max_length. Throws: ParseError.
std::map<std::string, std::string> clip_vocabulary_files(const std::string& source,
                                                         const std::string& merges_text,
                                                         int context_length);

}  // namespace openclip
