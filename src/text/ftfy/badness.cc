#include "text/ftfy/badness.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "text/ftfy/tables.h"
#include "text/unicode.h"

namespace openclip::ftfy {
namespace {

constexpr uint8_t kOther = 0, kOtherWord = 1, kOtherSpace = 2;
constexpr char32_t kDirect = 0x2600;  // all but a few named characters lie below

uint8_t search_class(char32_t code) {
  const auto* next =
      std::upper_bound(std::begin(kClassRanges), std::end(kClassRanges), code,
                       [](char32_t c, const ClassRange& range) { return c < range.low; });
  if (next != std::begin(kClassRanges) && code <= std::prev(next)->high)
    return std::prev(next)->character_class;
  if (is_py_space(code)) return kOtherSpace;
  return is_word(code) ? kOtherWord : kOther;
}

const std::array<uint8_t, kDirect>& direct_classes() {
  static const auto table = [] {
    std::array<uint8_t, kDirect> classes{};
    for (char32_t code = 0; code < kDirect; ++code) classes[code] = search_class(code);
    return classes;
  }();
  return table;
}

using RulesByFirst = std::array<std::vector<const BadRule*>, kClassCount>;

const RulesByFirst& rules_by_first() {
  static const auto table = [] {
    RulesByFirst rules;
    for (uint8_t c = 0; c < kClassCount; ++c)
      for (const BadRule& rule : kBadRules)
        if (rule.steps[0].has(c)) rules[c].push_back(&rule);
    return rules;
  }();
  return table;
}

bool matches(const BadRule& rule, std::string_view classes, size_t at) {
  if ((rule.at_start && at != 0) || classes.size() - at < rule.size) return false;
  for (size_t i = 1; i < rule.size; ++i)
    if (!rule.steps[i].has(static_cast<uint8_t>(classes[at + i]))) return false;
  return true;
}

}  // namespace

uint8_t character_class(char32_t code) {
  return code < kDirect ? direct_classes()[code] : search_class(code);
}

bool is_bad(std::u32string_view text) {
  std::string classes(text.size(), '\0');
  for (size_t i = 0; i < text.size(); ++i) classes[i] = static_cast<char>(character_class(text[i]));
  const RulesByFirst& rules = rules_by_first();
  for (size_t i = 0; i < classes.size(); ++i)
    for (const BadRule* rule : rules[static_cast<uint8_t>(classes[i])])
      if (matches(*rule, classes, i)) return true;
  return false;
}

}  // namespace openclip::ftfy
