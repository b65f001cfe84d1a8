#include "index/place.h"

#include <filesystem>

namespace openclip {

bool is_database(std::string_view place) {
  return place.starts_with("postgresql://") || place.starts_with("postgres://");
}

std::string place_name(std::string_view place) {
  std::string name(place);
  if (!is_database(place)) return name;
  const size_t user = name.find("://") + 3;
  const size_t host = name.substr(0, name.find_first_of("/?", user)).rfind('@');
  if (const size_t colon = name.find(':', user); host != std::string::npos && colon < host)
    name.erase(colon, host - colon);
  for (size_t at; (at = name.find("password=")) != std::string::npos;) {
    size_t end = name.find('&', at);
    end = end == std::string::npos ? name.size() : end + 1;
    name.erase(at, end - at);
  }
  return name;
}

std::string place_title(std::string_view place) {
  if (is_database(place)) {
    const size_t host = place.find("://") + 3;
    place = place.substr(0, place.find('?', host));
    const size_t slash = place.find('/', host);
    return std::string(slash == std::string_view::npos ? "database" : place.substr(slash + 1));
  }
  while (place.size() > 1 && place.back() == '/') place.remove_suffix(1);
  return std::filesystem::path(place).stem().string();
}

}  // namespace openclip
