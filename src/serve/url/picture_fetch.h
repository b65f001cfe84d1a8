// Pictures that clients name by URL. Rank 6.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/http/client.h"
#include "serve/http/call.h"
#include "serve/url/public_address.h"

namespace openclip {

/// A server that fetches what strangers name can be made to ask services that only it can reach, so
/// this is off by default, and what is on reaches public addresses only.
struct UrlPolicy {
  bool allowed = false;
  std::vector<std::string> hosts{};  // if any: only these, and all below "*.example.org"
  std::chrono::seconds timeout{10};  // of all: redirects, connections, bytes
  int max_redirects = 3;
  std::vector<int> ports{80, 443};
  AddressJudge judge = is_public_address;
};

/// GET of a URL: http and https on ports 80 and 443, no user names, no proxies, no cookies. Every
/// address is judged when it is connected to, after the name was resolved and for each redirect.
/// Throws: CallError 400 for what is not allowed or does not answer, 413 above max_bytes.
std::vector<uint8_t> fetch_picture(const std::string& url, const UrlPolicy& policy,
                                   size_t max_bytes, Clock::time_point deadline);

/// Whether a host may be asked: any without a list, else those of it. Upper and lower case are one.
bool host_allowed(const std::string& host, const std::vector<std::string>& hosts);

}  // namespace openclip
