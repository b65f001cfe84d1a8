#include "base/nearest.h"

#include <algorithm>
#include <numeric>

namespace openclip {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  // Wagner-Fischer with one row: row[j] = distance of a's first i bytes to b's first j.
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& names,
                                       size_t count) {
  // Names are short; a long argument is cut so that it cannot cost quadratic time.
  const std::string wanted = lower(name.substr(0, 256));
  std::vector<std::pair<size_t, size_t>> order;  // distance, position
  for (size_t i = 0; i < names.size(); ++i)
    order.emplace_back(edit_distance(wanted, lower(names[i])), i);
  std::sort(order.begin(), order.end());
  std::vector<std::string> nearest;
  for (size_t i = 0; i < std::min(count, order.size()); ++i)
    nearest.push_back(names[order[i].second]);
  return nearest;
}

}  // namespace openclip
