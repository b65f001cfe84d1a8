#include "serve/api/backend.h"

#include <algorithm>
#include <cctype>

#include "serve/formats/base64.h"
#include "serve/formats/data_url.h"

namespace openclip {
namespace {

std::string letters_and_digits(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

void Backend::check_model(const std::string& name) const {
  const std::string asked = letters_and_digits(name);
  for (const std::string& own : model_names_)
    if (letters_and_digits(own) == asked) return;
  throw CallError(
      404, fmt::format("the model '{}' is not served here, '{}' is", name, model_name()), "model");
}

std::vector<uint8_t> Backend::picture(const Call& call, const std::string& text,
                                      const std::string& name) const {
  if (is_data_url(text)) return read_data_url(text, name, limits_.max_image_bytes);
  if (text.starts_with("http://") || text.starts_with("https://"))
    return fetch_picture(text, urls_, limits_.max_image_bytes, call.deadline);
  if (text.empty()) throw ParseError(name, "is empty; send base64 or a data: URL");
  return base64_decode(text, name, limits_.max_image_bytes);
}

}  // namespace openclip
