// API keys of the clients. Rank 6.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/http/call.h"

namespace openclip {

/// Equal, in a time that depends on the lengths only, so that a key cannot be guessed byte by byte.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// `Authorization: Bearer KEY` or `X-API-Key: KEY` against a list; without keys everybody may call.
class ApiKeys {
 public:
  explicit ApiKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  /// Throws: CallError 401.
  void check(const Call& call) const;
  bool any() const { return !keys_.empty(); }

 private:
  std::vector<std::string> keys_;
};

}  // namespace openclip
