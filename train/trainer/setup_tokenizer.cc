#include <memory>

#include "base/error.h"
#include "text/hf_tokenizer.h"
#include "text/vocabulary.h"
#include "trainer/setup.h"

namespace openclip::train {
namespace {

std::shared_ptr<const Tokenizer> open(const ModelSource& source) {
  const TextConfig& text = source.config.text;
  if (!source.tokenizer_folder.empty()) {
    HfTokenizer::Options options;
    options.context_length = text.context_length;
    return HfTokenizer::open(source.tokenizer_folder + "/tokenizer.json", options);
  }
  if (!text.hf_tokenizer_name.empty())
    throw NotFound(
        fmt::format("the model uses the tokenizer '{}': give the folder of its "
                    "tokenizer.json with --tokenizer",
                    text.hf_tokenizer_name));
  return open_clip_vocabulary(text.context_length);
}

}  // namespace

TextEncoder open_tokenizer(const ModelSource& source) {
  const std::shared_ptr<const Tokenizer> tokenizer = open(source);
  if (tokenizer->vocab_size() > source.config.text.vocab_size)
    throw Error(fmt::format("the tokenizer has {} tokens, the model's vocab_size is {}",
                            tokenizer->vocab_size(), source.config.text.vocab_size));
  return [tokenizer](const std::string& text) {
    const std::vector<int32_t> ids = tokenizer->encode(text);
    return std::vector<int64_t>(ids.begin(), ids.end());
  };
}

}  // namespace openclip::train
