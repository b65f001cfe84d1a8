// The normalisers of a tokenizer.json, one after the other. Rank 3.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/bert_text.h"
#include "text/charsmap.h"

namespace openclip {

namespace normalizers {
enum class Form { nfc, nfd, nfkc, nfkd };
struct Lowercase {};
struct Prepend {  // nothing before an empty text
  std::string content;
};
struct Replace {  // every occurrence
  std::string pattern, content;
};
struct ReplaceSpaces {  // runs of at least two ' ', the pattern " {2,}"
  std::string content;
};
struct Strip {
  bool left = true, right = true;
};
using Precompiled = std::shared_ptr<const Charsmap>;

using Step = std::variant<Form, Lowercase, Prepend, Replace, ReplaceSpaces, Strip, Precompiled,
                          BertNormalization>;
}  // namespace normalizers

/// Source: tokenizers 0.22, src/normalizers. Immutable and thread-safe once filled.
class HfNormalizer {
 public:
  void add(normalizers::Step step);
  std::string apply(std::string_view text) const;

 private:
  std::vector<normalizers::Step> steps_;
};

}  // namespace openclip
