#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "io/json.h"
#include "trainer/setup.h"

namespace openclip::train {

TextEncoder open_tokenizer(const ModelSource& source) {
  const Json json =
      read_json_file(source.tokenizer_folder + "/captions.tokens.json", {.max_bytes = 1u << 28});
  auto map = std::make_shared<std::unordered_map<std::string, std::vector<int64_t>>>();
  for (const auto& [key, value] : json.items()) (*map)[key] = value.get<std::vector<int64_t>>();
  return [map](const std::string& text) {
    const auto found = map->find(text);
    if (found == map->end()) throw ParseError("tokens", "no entry for '" + text + "'");
    return found->second;
  };
}

}  // namespace openclip::train
