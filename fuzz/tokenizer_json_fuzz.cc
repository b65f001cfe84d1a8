// Any bytes as a tokenizer.json: a tokenizer whose ids stay within its vocabulary, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "text/hf_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  try {
    const HfTokenizer tokenizer("fuzz", {reinterpret_cast<const char*>(data), size}, {});
    const auto ids = tokenizer.encode_padded("a photo of <pad> caf\xc3\xa9 <end_of_text> ababab");
    for (const int32_t id : ids)
      if (id < 0) std::abort();
    if (tokenizer.end_id() < tokenizer.vocab_size()) tokenizer.decode({tokenizer.end_id()});
  } catch (const Error&) {
  }
  return 0;
}
