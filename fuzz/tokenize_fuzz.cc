// Any bytes as a text: cleaning ends and gives valid UTF-8, and ids stay within the vocabulary and
// the context.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "text/clean.h"
#include "text/clip_tokenizer.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  static const auto tokenizer =
      ClipTokenizer::open(OPENCLIP_SOURCE_DIR "/tests/golden/text/tiny_vocab.txt");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const CleanMode mode : {CleanMode::lower, CleanMode::whitespace, CleanMode::canonicalize}) {
    bool valid = true;
    const std::string cleaned = clean_text(text, mode);
    for (size_t i = 0; i < cleaned.size();) next_code_point(cleaned, &i, &valid);
    if (!valid) std::abort();
  }
  const auto ids = tokenizer->encode_padded(text);
  if (ids.size() != 77 || ids[0] != tokenizer->start_id()) std::abort();
  for (const int32_t id : ids)
    if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
  tokenizer->decode(ids);
  return 0;
}
