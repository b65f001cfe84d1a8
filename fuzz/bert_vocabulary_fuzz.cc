// Any bytes as a vocab.txt: a tokenizer whose ids stay within its vocabulary, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "text/bert_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  try {
    const auto tokenizer =
        parse_bert_vocabulary("fuzz", {reinterpret_cast<const char*>(data), size}, {}, {});
    const auto ids = tokenizer->encode_padded("A photo of [PAD] caf\xc3\xa9 \xe7\x8c\xab, ababab");
    for (const int32_t id : ids)
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    tokenizer->decode(ids);
  } catch (const Error&) {
  }
  return 0;
}
