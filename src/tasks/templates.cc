#include "tasks/templates.h"

#include "base/error.h"
#include "io/json.h"

namespace openclip {

namespace embedded {
extern const std::string_view templates_json;
}

std::vector<std::string> template_set(std::string_view name) {
  const Json sets = parse_json("built-in templates", embedded::templates_json);
  const Json* found = json_find(sets, name);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const auto& [known, templates] : sets.items()) names.push_back(known);
    throw NotFound(
        fmt::format("unknown template set '{}'; there are {}", name, fmt::join(names, " and ")));
  }
  return found->get<std::vector<std::string>>();
}

std::vector<std::string> with_template_set(std::vector<std::string> given, std::string_view name) {
  if (name.empty()) return given;
  const std::vector<std::string> set = template_set(name);
  given.insert(given.end(), set.begin(), set.end());
  return given;
}

std::string fill_template(std::string_view text, std::string_view label) {
  std::string out;
  for (size_t at = text.find("{}"); at != std::string_view::npos; at = text.find("{}")) {
    out += text.substr(0, at);
    out += label;
    text.remove_prefix(at + 2);
  }
  return out.append(text);
}

void check_templates(const std::vector<std::string>& templates) {
  check_arg(!templates.empty(), "there is no template");
  for (const std::string& text : templates)
    check_arg(text.find("{}") != std::string::npos,
              "template '{}' has no {{}} where the label goes", text);
}

}  // namespace openclip
