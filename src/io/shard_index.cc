#include "io/shard_index.h"

#include <filesystem>

#include "base/error.h"
#include "io/json.h"

namespace openclip {

std::map<std::string, std::vector<std::string>> read_shard_index(const std::string& path) {
  constexpr size_t kMaxIndexBytes = 100'000'000;
  const Json index = read_json_file(path, {.max_bytes = kMaxIndexBytes, .unique_keys = true});
  const Json* map = json_find(index, "weight_map");
  if (map == nullptr || !map->is_object()) throw ParseError(path, "\"weight_map\" is missing");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [name, shard] : map->items()) {
    const std::string file_name = shard.is_string() ? shard.get<std::string>() : "";
    // Only a plain file name: an index must not reach outside its own folder.
    if (file_name.empty() || file_name == ".." || file_name == "." ||
        file_name.find('/') != std::string::npos || file_name.find('\0') != std::string::npos)
      throw ParseError(path, fmt::format("tensor '{}' has no plain shard file name", name));
    shards[(std::filesystem::path(path).parent_path() / file_name).string()].push_back(name);
  }
  return shards;
}

}  // namespace openclip
