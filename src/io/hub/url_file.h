// Weights that are published at a plain address, in the folder that Python's open_clip uses.
// Rank 3.
#pragma once

#include <string>

#include "io/hub/client.h"

namespace openclip {

/// ~/.cache/clip
std::string url_cache_dir();

/// Where the file of `url` lies or would lie. Throws: InvalidArgument if the address names no file.
std::string url_cache_path(const std::string& url);

/// What the address says about the content, as open_clip reads it: OpenAI's hold the sha256 as the
/// folder, mlfoundations' releases its first digits at the end of the name.
Checksum url_checksum(const std::string& url);

/// The file, fetched unless it is there with the right checksum.
/// Throws: NotFound, NetworkError, IoError, Cancelled.
HubFile fetch_url_file(const std::string& url, const HubSettings& settings,
                       DownloadObserver& observer);

}  // namespace openclip
