// What a request's head must look like before its body is read. Rank 6.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/call.h"

namespace openclip {

/// Facts about a head that the connection has parsed.
struct RequestHead {
  std::string_view target;                                                    // as sent
  int version = 11;                                                           // 10 or 11
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;  // lower-case names
};

struct HeadRules {
  size_t max_headers = 100;
  bool loopback_only = false;  // the server listens on a loopback address
  const std::vector<std::string>* host_names = nullptr;
};

/// Throws: CallError for what could be read in two ways, or is over a limit: no or several Hosts, a
/// Host that is not this server's, Transfer-Encoding other than one "chunked", several
/// Content-Lengths, too many headers, a target that is no path.
void check_head(const RequestHead& head, const HeadRules& rules);

/// Path (decoded) and query of "/path?query" or "http://host/path?query".
/// Throws: CallError 400 for NUL bytes and paths that climb ("..").
void split_target(std::string_view target, std::string* path, std::string* query);

}  // namespace openclip
