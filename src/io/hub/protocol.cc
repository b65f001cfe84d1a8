#include "io/hub/protocol.h"

#include <algorithm>

#include "io/json.h"

namespace openclip {
namespace {

constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxPathBytes = 1024;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Neither empty, nor "." and "..", nor anything that Windows reads as a drive or separator.
bool is_safe_part(std::string_view part) {
  if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
  return std::none_of(part.begin(), part.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\' || c == ':';
  });
}

}  // namespace

bool is_cache_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), is_name_char);
}

bool is_safe_relative_path(std::string_view path) {
  if (path.size() > kMaxPathBytes) return false;
  for (;;) {
    const size_t slash = path.find('/');
    if (!is_safe_part(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_revision(std::string_view text) {
  return text.size() <= kMaxPathBytes && is_safe_relative_path(text) && text.front() != '-' &&
         text.find(' ') == std::string_view::npos;
}

HubFileInfo parse_file_info(const std::string& source, const HttpHeaders& headers,
                            bool redirected) {
  HubFileInfo info;
  info.commit = headers.get("X-Repo-Commit");
  if (!is_cache_name(info.commit))
    throw NetworkError(
        fmt::format("{}: the answer names no commit (X-Repo-Commit), so this is no "
                    "Hugging Face Hub; check HF_ENDPOINT and proxies",
                    source));
  const std::string_view linked = headers.get("X-Linked-Etag");
  info.etag = normalise_etag(linked.empty() ? headers.get("ETag") : linked);
  if (!is_cache_name(info.etag))
    throw NetworkError(source + ": the answer has no usable ETag, so the file cannot be checked");
  info.size = parse_decimal(headers.get("X-Linked-Size"));
  if (!info.size && !redirected) info.size = parse_decimal(headers.get("Content-Length"));
  return info;
}

Checksum etag_checksum(const std::string& etag) {
  if (is_hex(etag) && etag.size() == 64) return {Checksum::Kind::sha256, etag};
  if (is_hex(etag) && etag.size() == 40) return {Checksum::Kind::git_sha1, etag};
  return {};
}

HubListing parse_listing(const std::string& source, std::string_view json) {
  const Json root = parse_json(source, json, {.max_bytes = HubListing::kMaxBytes});
  HubListing listing;
  listing.commit = json_get<std::string>(source, root, "sha");
  if (!is_cache_name(listing.commit)) throw ParseError(source, "\"sha\" is no commit");
  const Json* siblings = json_find(root, "siblings");
  if (siblings == nullptr || !siblings->is_array())
    throw ParseError(source, "\"siblings\" must be a list of files");
  for (const Json& sibling : *siblings) {
    auto name = json_get<std::string>(source, sibling, "rfilename");
    if (is_safe_relative_path(name)) listing.files.push_back(std::move(name));
  }
  return listing;
}

}  // namespace openclip
