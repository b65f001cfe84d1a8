// From a sentencepiece model to the tokenizer that transformers makes of it. Rank 3.
#pragma once

#include <string>
#include <string_view>

#include "text/hf_definition.h"

namespace openclip {

/// Whose rules about special tokens hold; transformers has a class for each.
enum class SentencePieceFamily {
  t5,           // T5, mT5, SigLIP: text, </s>
  xlm_roberta,  // <s> text </s>, and ids that differ from those of the file
  gemma,        // BPE without a space before the text; start and end as the options say
};

struct SentencePieceOptions {
  SentencePieceFamily family = SentencePieceFamily::t5;
  bool add_start = true, add_end = false;  // of gemma
  bool prefix_space = true;                // of t5: one before the text,
  bool legacy = true;                      // also after added tokens
};

/// As transformers 4.57 converts it (convert_slow_tokenizer.py: T5Converter, XLMRobertaConverter,
/// GemmaConverter). Throws: ParseError, Unsupported.
HfDefinition sentencepiece_definition(const std::string& source, std::string_view bytes,
                                      const SentencePieceOptions& options);

}  // namespace openclip
