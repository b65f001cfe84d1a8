// Lists of labels, from the command line, from files and beside a model. Rank 5.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// "a, b,c" -> {"a", "b", "c"}, blanks around each removed.
/// Throws: InvalidArgument for empty and repeated labels.
std::vector<std::string> split_labels(std::string_view list);

/// One label per line; empty lines are passed over.
/// Throws: InvalidArgument for a file without labels or with a repeated one; errors of reading.
std::vector<std::string> read_labels(const std::string& path);

/// The list that lies in a model's folder: labels.LANGUAGE.txt, or labels.txt for no language
/// (where that is absent, labels.en.txt). Throws: NotFound naming the languages that there are.
std::vector<std::string> model_labels(const std::string& folder, const std::string& language);

/// Lines of a UTF-8 text file, without line ends (LF or CRLF) and byte order mark; every line is
/// kept, also empty ones.
std::vector<std::string> read_lines(const std::string& path);

}  // namespace openclip
