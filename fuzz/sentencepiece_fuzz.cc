// Any bytes as a sentencepiece model: a tokenizer whose ids stay within its vocabulary, or an
// error. The first byte chooses whose rules about special tokens hold.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "text/hf_tokenizer.h"
#include "text/sentencepiece_definition.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  if (size == 0) return 0;
  const SentencePieceOptions options = {.family = static_cast<SentencePieceFamily>(data[0] % 3),
                                        .add_end = (data[0] & 4) != 0,
                                        .legacy = (data[0] & 8) != 0};
  try {
    const HfTokenizer tokenizer(
        "fuzz",
        sentencepiece_definition("fuzz", {reinterpret_cast<const char*>(data) + 1, size - 1},
                                 options),
        {});
    const auto ids = tokenizer.encode_padded("A photo of <pad> caf\xc3\xa9 \xef\xbc\xa1  ababab");
    for (const int32_t id : ids)
      if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
    tokenizer.decode(ids);
  } catch (const Error&) {
  }
  return 0;
}
