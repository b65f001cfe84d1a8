// What the Hub's answers mean; foreign bytes, so names are checked before they become paths.
// Rank 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http/download.h"

namespace openclip {

/// The headers of a HEAD on /resolve/: which content a file has at a revision.
struct HubFileInfo {
  std::string commit;  // X-Repo-Commit
  std::string etag;    // X-Linked-Etag, else ETag: sha256 of large files, git's sha1 of small ones
  std::optional<uint64_t> size{};  // X-Linked-Size, else Content-Length unless redirected
};

/// Throws: NetworkError naming `source` where a header is missing or no usable name.
HubFileInfo parse_file_info(const std::string& source, const HttpHeaders& headers, bool redirected);

/// What must be checked of a file with this etag; kind none for etags of another form.
Checksum etag_checksum(const std::string& etag);

/// /api/models/REPO/revision/REVISION: the commit behind a revision, and its files.
struct HubListing {
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  std::string commit;
  std::vector<std::string> files;
};

/// Files whose names could leave their folder are left out, as nobody may ask for them.
/// Throws: ParseError.
HubListing parse_listing(const std::string& source, std::string_view json);

/// A commit or etag as the cache uses it for a file name: 1 to 128 letters, digits, '.', '_', '-',
/// not beginning with '.'.
bool is_cache_name(std::string_view text);

/// A relative path with '/' between parts that stays below its folder on every system.
bool is_safe_relative_path(std::string_view path);

/// "branch", "refs/pr/1", a tag or a commit.
bool is_revision(std::string_view text);

}  // namespace openclip
