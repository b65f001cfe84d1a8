#include "tasks/labels.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxTextBytes = size_t{1} << 30;

// Two equal labels would share one probability, and each would look half as likely as it is.
void check_unique(const std::vector<std::string>& labels, std::string_view source) {
  std::set<std::string_view> seen;
  for (const std::string& label : labels)
    check_arg(seen.insert(label).second, "{}: label '{}' occurs twice; remove one", source, label);
}

std::vector<std::string> languages_in(const fs::path& folder) {
  std::vector<std::string> languages;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("labels.") && name.ends_with(".txt") && name.size() > 11)
      languages.push_back(name.substr(7, name.size() - 11));
  }
  std::sort(languages.begin(), languages.end());
  return languages;
}

}  // namespace

std::vector<std::string> split_labels(std::string_view list) {
  std::vector<std::string> labels;
  for (bool more = true; more;) {
    const size_t comma = list.find(',');
    more = comma != std::string_view::npos;
    const std::string_view label = trimmed(list.substr(0, comma));
    check_arg(!label.empty(), "--labels holds an empty label; write --labels a,b,c");
    labels.emplace_back(label);
    if (more) list.remove_prefix(comma + 1);
  }
  check_unique(labels, "--labels");
  return labels;
}

std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_text_file(path, kMaxTextBytes);
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  std::vector<std::string> lines;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lines;
}

std::vector<std::string> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  for (const std::string& line : read_lines(path))
    if (const std::string_view label = trimmed(line); !label.empty()) labels.emplace_back(label);
  check_arg(!labels.empty(), "{}: holds no labels; write one per line", path);
  check_unique(labels, path);
  return labels;
}

std::vector<std::string> model_labels(const std::string& folder, const std::string& language) {
  const fs::path root = folder;
  std::vector<fs::path> candidates = {root / ("labels." + language + ".txt")};
  if (language.empty()) candidates = {root / "labels.txt", root / "labels.en.txt"};
  if (!folder.empty() && language.find('/') == std::string::npos)
    for (const fs::path& path : candidates)
      if (is_file(path)) return read_labels(path.string());
  const std::vector<std::string> known =
      folder.empty() ? std::vector<std::string>() : languages_in(root);
  if (known.empty())
    throw NotFound("this model has no list of labels of its own; pass --labels or --labels-file");
  throw NotFound(fmt::format("this model has no labels for language '{}'; it has {}", language,
                             fmt::join(known, ", ")));
}

}  // namespace openclip
