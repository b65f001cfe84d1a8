#include "serve/http/api_keys.h"

namespace openclip {

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  // The compiler must not stop early: it cannot know that nobody watches this.
  asm volatile("" : "+r"(difference));
  return difference == 0;
}

void ApiKeys::check(const Call& call) const {
  if (keys_.empty()) return;
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = call.header("authorization");
  if (given.starts_with(kBearer))
    given.remove_prefix(kBearer.size());
  else
    given = call.header("x-api-key");
  bool found = false;
  for (const std::string& key : keys_) found |= equal_in_constant_time(key, given);
  if (!found)
    throw CallError(401, given.empty() ? "send a key as 'Authorization: Bearer KEY'"
                                       : "this key is not known here");
}

}  // namespace openclip
