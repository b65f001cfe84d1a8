// Lists of words for describing pictures. Rank 5.
#pragma once

#include <string>
#include <vector>

namespace openclip {

/// Words of one kind, of which a picture has some.
struct WordList {
  std::string name;  // "subjects", "mediums", …; of a user's file its path
  std::vector<std::string> words;
};

/// The lists that ship with the program (src/tasks/words): subjects, mediums, movements, colours,
/// styles, in this order.
std::vector<WordList> shipped_word_lists();

/// One word or phrase per line; empty lines are passed over. Throws: as read_labels.
WordList read_word_list(const std::string& path);

}  // namespace openclip
