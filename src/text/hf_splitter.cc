#include "text/hf_splitter.h"

#include "text/bert_text.h"
#include "text/clip_split.h"
#include "text/gpt2_split.h"
#include "text/utf8.h"

namespace openclip {
namespace {

// Called with the pieces of a text, none of them empty, and whether one begins the text; false
// stops.
using Next = std::function<bool(std::string_view piece, bool first)>;

std::string_view special_word(std::string_view text) {
  for (const std::string_view token : {"<|startoftext|>", "<|endoftext|>"})
    if (text.starts_with(token)) return token;
  return {};
}

bool pieces(const splitters::Clip& step, std::string_view text, bool, const Next& next) {
  for (size_t position = 0;;) {
    size_t begin = text.find_first_not_of(' ', position);
    std::string_view word;
    if (step.specials && begin != std::string_view::npos) word = special_word(text.substr(begin));
    if (!word.empty())
      position = begin + word.size();
    else
      word = next_clip_word(text, &position, {.ignore_case = false, .specials = false});
    if (word.empty()) return true;
    if (!next(word, word.data() == text.data())) return false;
  }
}

bool pieces(const splitters::Gpt2&, std::string_view text, bool, const Next& next) {
  for (size_t position = 0; position < text.size();) {
    const std::string_view word = next_gpt2_word(text, &position);
    if (!next(word, word.data() == text.data())) return false;
  }
  return true;
}

bool pieces(const splitters::WhiteSpace& step, std::string_view text, bool, const Next& next) {
  size_t begin = 0;
  const auto give = [&](size_t end) {
    return begin == end || next(text.substr(begin, end - begin), begin == 0);
  };
  for (size_t at = 0; at < text.size();) {
    const size_t from = at;
    const char32_t code = next_code_point(text, &at);
    const bool space = is_white_space(code);
    if (!space && !(step.punctuation && is_bert_punctuation(code))) continue;
    if (!give(from)) return false;
    begin = space ? at : from;
    if (!give(at)) return false;
    begin = at;
  }
  return give(text.size());
}

bool pieces(const splitters::After& step, std::string_view text, bool, const Next& next) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t found = text.find(step.pattern, begin);
    const size_t end = found == std::string_view::npos ? text.size() : found + step.pattern.size();
    if (!next(text.substr(begin, end - begin), begin == 0)) return false;
    begin = end;
  }
  return true;
}

bool pieces(const splitters::Metaspace& step, std::string_view text, bool at_start,
            const Next& next) {
  std::string spaced;
  for (const char c : text)
    if (c == ' ')
      spaced += step.symbol;
    else
      spaced += c;
  const bool wanted = step.prepend == splitters::Prepend::always ||
                      (step.prepend == splitters::Prepend::first && at_start);
  if (wanted && !spaced.starts_with(step.symbol)) spaced = step.symbol + spaced;
  if (!step.split) return next(spaced, true);
  for (size_t begin = 0; begin < spaced.size();) {
    const size_t end = std::min(spaced.find(step.symbol, begin + 1), spaced.size());
    if (!next(std::string_view(spaced).substr(begin, end - begin), begin == 0)) return false;
    begin = end;
  }
  return true;
}

bool pieces(const splitters::PrefixSpace&, std::string_view text, bool, const Next& next) {
  if (text.starts_with(' ')) return next(text, true);
  return next(std::string(" ").append(text), true);
}

}  // namespace

// Out of line, as GCC 12 sees uninitialised strings in the moved variant otherwise.
void HfSplitter::add(splitters::Step step) { steps_.push_back(std::move(step)); }

bool HfSplitter::run(size_t step, std::string_view text, bool at_start, const Sink& sink) const {
  if (text.empty()) return true;
  if (step == steps_.size()) return sink(text);
  const Next next = [&](std::string_view piece, bool first) {
    return run(step + 1, piece, at_start && first, sink);
  };
  return std::visit([&](const auto& chosen) { return pieces(chosen, text, at_start, next); },
                    steps_[step]);
}

void HfSplitter::split(std::string_view text, bool at_start, const Sink& sink) const {
  run(0, text, at_start, sink);
}

}  // namespace openclip
