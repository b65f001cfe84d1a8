// The tokenizer of a folder, whichever files it has. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/hf_tokenizer.h"

namespace openclip {

/// Whether `folder` has files that open_hf_folder reads.
bool has_hf_tokenizer(const std::string& folder);

/// Paths of the files that make the ids: tokenizer.json alone, or all that are there without it.
std::vector<std::string> hf_tokenizer_files(const std::string& folder);

/// The first of: tokenizer.json; vocab.json with merges.txt (CLIP's or GPT-2's, by tokenizer_class
/// of tokenizer_config.json); a sentencepiece model (spiece.model, sentencepiece.bpe.model,
/// tokenizer.model); vocab.txt (BERT's). Where tokenizer_config.json names no class, the file's
/// name does. As transformers' AutoTokenizer reads such a folder.
/// Throws: NotFound naming the files that were looked for; IoError, ParseError, Unsupported.
std::unique_ptr<HfTokenizer> open_hf_folder(const std::string& folder,
                                            HfTokenizer::Options options);

}  // namespace openclip
