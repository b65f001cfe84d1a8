#include "tasks/word_lists.h"

#include <string_view>

#include "tasks/labels.h"

namespace openclip {
namespace embedded {
extern const std::string_view words_subjects, words_mediums, words_movements, words_colours,
    words_styles;
}

namespace {

WordList list_of(const char* name, std::string_view text) {
  WordList list{name, {}};
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end > 0) list.words.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return list;
}

}  // namespace

std::vector<WordList> shipped_word_lists() {
  return {list_of("subjects", embedded::words_subjects),
          list_of("mediums", embedded::words_mediums),
          list_of("movements", embedded::words_movements),
          list_of("colours", embedded::words_colours), list_of("styles", embedded::words_styles)};
}

WordList read_word_list(const std::string& path) { return {path, read_labels(path)}; }

}  // namespace openclip
