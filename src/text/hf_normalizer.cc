#include "text/hf_normalizer.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

using normalizers::Form;

std::string step(const Form& form, const std::string& text) {
  if (is_ascii(text)) return text;
  std::u32string codes = decode_utf8(text);
  switch (form) {
    case Form::nfc:
      return encode_utf8(normalize_nfc(std::move(codes)));
    case Form::nfd:
      return encode_utf8(normalize_nfd(std::move(codes)));
    case Form::nfkc:
      return encode_utf8(normalize_nfkc(std::move(codes)));
    case Form::nfkd:
      break;
  }
  return encode_utf8(normalize_nfkd(std::move(codes)));
}

std::string step(const normalizers::Lowercase&, const std::string& text) {
  return encode_utf8(simple_lower(decode_utf8(text)));
}

std::string step(const normalizers::Prepend& prepend, const std::string& text) {
  return text.empty() ? text : prepend.content + text;
}

std::string step(const normalizers::Replace& replace, const std::string& text) {
  std::string out;
  size_t begin = 0;
  for (size_t at; (at = text.find(replace.pattern, begin)) != std::string::npos;) {
    out.append(text, begin, at - begin).append(replace.content);
    begin = at + replace.pattern.size();
  }
  return out.append(text, begin);
}

std::string step(const normalizers::ReplaceSpaces& replace, const std::string& text) {
  std::string out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_not_of(' ', begin), text.size());
    if (end - begin >= 2)
      out += replace.content;
    else if (end > begin)
      out += ' ';
    const size_t next = std::min(text.find(' ', end), text.size());
    out.append(text, end, next - end);
    begin = next;
  }
  return out;
}

std::string step(const normalizers::Strip& strip, const std::string& text) {
  const std::u32string codes = decode_utf8(text);
  std::u32string_view kept = codes;
  while (strip.left && !kept.empty() && is_white_space(kept.front())) kept.remove_prefix(1);
  while (strip.right && !kept.empty() && is_white_space(kept.back())) kept.remove_suffix(1);
  return encode_utf8(kept);
}

std::string step(const normalizers::Precompiled& charsmap, const std::string& text) {
  return charsmap->apply(text);
}

std::string step(const BertNormalization& steps, const std::string& text) {
  return encode_utf8(bert_normalize(decode_utf8(text), steps));
}

}  // namespace

// Out of line, as GCC 12 sees uninitialised strings in the moved variant otherwise.
void HfNormalizer::add(normalizers::Step step) { steps_.push_back(std::move(step)); }

std::string HfNormalizer::apply(std::string_view text) const {
  std::string out(text);
  for (const normalizers::Step& next : steps_)
    out = std::visit([&](const auto& chosen) { return step(chosen, out); }, next);
  return out;
}

}  // namespace openclip
