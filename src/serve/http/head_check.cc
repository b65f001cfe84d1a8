#include "serve/http/head_check.h"

#include <algorithm>

#include "base/text.h"
#include "serve/formats/data_url.h"

namespace openclip {
namespace {

size_t count(const RequestHead& head, std::string_view name, std::string_view* value) {
  size_t found = 0;
  for (const auto& [key, text] : *head.headers)
    if (key == name) {
      ++found;
      *value = text;
    }
  return found;
}

// "localhost:8080" -> "localhost", "[::1]:80" -> "::1"
std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, std::min(host.find(':'), host.size()));
}

// An address cannot be made to point elsewhere, as a name can.
bool is_ip_address(std::string_view host) {
  return !host.empty() && (host.find(':') != std::string_view::npos ||
                           host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool is_own_host(std::string_view host, const HeadRules& rules) {
  const std::string_view name = host_without_port(host);
  if (is_ip_address(name) || name == "localhost" || name.ends_with(".localhost")) return true;
  return rules.host_names != nullptr &&
         std::find(rules.host_names->begin(), rules.host_names->end(), name) !=
             rules.host_names->end();
}

}  // namespace

void check_head(const RequestHead& head, const HeadRules& rules) {
  if (head.headers->size() > rules.max_headers)
    throw CallError(431, fmt::format("more than {} headers", rules.max_headers));
  std::string_view value;
  const size_t hosts = count(head, "host", &value);
  if (hosts > 1 || (hosts == 0 && head.version >= 11))
    throw CallError(400, "expected one Host header");
  if (hosts == 1 && rules.loopback_only && !is_own_host(value, rules))
    throw CallError(421, "this Host is not known here; see --allow-host");
  value = {};
  if (count(head, "content-length", &value) > 1)
    throw CallError(400, "several Content-Length headers");
  if (value.find_first_not_of("0123456789") != std::string_view::npos)
    throw CallError(400, "a Content-Length that is no number");
  value = {};
  const size_t codings = count(head, "transfer-encoding", &value);
  if (codings > 0 && head.version < 11) throw CallError(400, "HTTP/1.0 has no Transfer-Encoding");
  const std::string coding = ascii_lower(std::string(value));
  if (codings > 1 || (codings == 1 && coding != "chunked"))
    throw CallError(501, "the only Transfer-Encoding here is chunked");
  if (count(head, "content-encoding", &value) > 0 && value != "identity")
    throw CallError(415, "bodies with a Content-Encoding are not read");
}

void split_target(std::string_view target, std::string* path, std::string* query) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (!target.starts_with('/') && target != "*") throw CallError(400, "the target is not a path");
  const size_t mark = target.find('?');
  if (mark != std::string_view::npos) *query = target.substr(mark + 1);
  *path = percent_decode(target.substr(0, mark));
  if (path->find('\0') != std::string::npos || path->find("/../") != std::string::npos ||
      path->ends_with("/..") || path->find('\\') != std::string::npos)
    throw CallError(400, "the path leads out of this server");
}

}  // namespace openclip
