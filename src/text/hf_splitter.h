// The pre-tokenizers of a tokenizer.json: from a normalised text to words. Rank 3.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace openclip {

namespace splitters {
/// CLIP's pattern; `specials`: "<|startoftext|>" and "<|endoftext|>" are words too.
struct Clip {
  bool specials = false;
};
/// GPT-2's pattern: contractions, letters, numbers, others, each with a space before it.
struct Gpt2 {};
/// White space goes; `punctuation`: and each mark is a word (BertPreTokenizer).
struct WhiteSpace {
  bool punctuation = false;
};
/// A string ends the word that it stands in (Split, merged_with_previous).
struct After {
  std::string pattern;
};
enum class Prepend { never, first, always };
/// sentencepiece's way: spaces become `symbol`, one stands before the text and, with `split`, each
/// begins a word.
struct Metaspace {
  std::string symbol = "\u2581";
  Prepend prepend = Prepend::always;
  bool split = true;
};
struct PrefixSpace {};  // before a text without one

using Step = std::variant<Clip, Gpt2, WhiteSpace, After, Metaspace, PrefixSpace>;
}  // namespace splitters

/// Source: tokenizers 0.22, src/pre_tokenizers. Immutable and thread-safe once filled.
class HfSplitter {
 public:
  /// Returns whether it wants more words. They are valid during the call only.
  using Sink = std::function<bool(std::string_view word)>;

  void add(splitters::Step step);

  /// `at_start`: the text is the beginning of what the user wrote.
  void split(std::string_view text, bool at_start, const Sink& sink) const;

 private:
  bool run(size_t step, std::string_view text, bool at_start, const Sink& sink) const;

  std::vector<splitters::Step> steps_;
};

}  // namespace openclip
