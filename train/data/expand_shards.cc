#include <glob.h>

#include "base/error.h"
#include "data/dataset.h"

namespace openclip::train {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (true) {
    const size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + separator.size();
  }
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

// What stands between two braces: "000..012" or "x,y,z".
std::vector<std::string> alternatives(const std::string& body, const std::string& pattern) {
  const size_t dots = body.find("..");
  if (dots == std::string::npos) return split(body, ",");
  const std::string first = body.substr(0, dots), last = body.substr(dots + 2);
  check_arg(is_number(first) && is_number(last) && std::stol(first) <= std::stol(last),
            "--train-data {}: '{{{}}}' must be {{FIRST..LAST}}", pattern, body);
  std::vector<std::string> numbers;
  for (long i = std::stol(first); i <= std::stol(last); ++i)
    numbers.push_back(fmt::format("{:0{}}", i, first.size()));
  return numbers;
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  const size_t open = pattern.find('{');
  if (open == std::string::npos) return {pattern};
  const size_t close = pattern.find('}', open);
  check_arg(close != std::string::npos, "--train-data {}: a brace is not closed", pattern);
  std::vector<std::string> all;
  for (const std::string& middle :
       alternatives(pattern.substr(open + 1, close - open - 1), pattern))
    for (const std::string& rest : expand_braces(pattern.substr(close + 1)))
      all.push_back(pattern.substr(0, open) + middle + rest);
  return all;
}

std::vector<std::string> expand_wildcards(const std::string& pattern) {
  const bool local = !pattern.starts_with("pipe:") && pattern.find("://") == std::string::npos;
  if (!local || pattern.find_first_of("*?") == std::string::npos) return {pattern};
  glob_t found{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (paths.empty()) throw NotFound("--train-data " + pattern + ": matches no file");
  return paths;
}

}  // namespace

std::vector<std::string> expand_shards(const std::string& patterns,
                                       std::vector<size_t>* source_sizes) {
  std::vector<std::string> shards;
  for (const std::string& pattern : split(patterns, "::")) {
    const size_t before = shards.size();
    for (const std::string& braces : expand_braces(pattern))
      for (std::string& path : expand_wildcards(braces)) shards.push_back(std::move(path));
    if (source_sizes != nullptr) source_sizes->push_back(shards.size() - before);
  }
  return shards;
}

}  // namespace openclip::train
