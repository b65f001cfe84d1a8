// One file from the network to the disk, whole and checked, or not at all. Rank 3.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "io/http/session.h"

namespace openclip {

/// What the bytes must hash to; `digits` may be the first digits only.
struct Checksum {
  enum class Kind { none, sha256, git_sha1 };
  Kind kind = Kind::none;
  std::string digits{};
};

struct DownloadJob {
  std::string url;
  std::string name;                // for errors and the observer
  std::string partial;             // grows, stays when the download is interrupted
  std::string target;              // appears when everything is right
  std::optional<uint64_t> size{};  // bytes, where announced before
  Checksum checksum{};
  int timeout_seconds = 10;
  /// Throws for an answer that is not 2xx.
  std::function<void(const HttpSession::Answer&)> check_status{};
};

/// A size that no server announced before may reach this at most.
constexpr uint64_t kMaxUnannouncedBytes = uint64_t{64} << 20;

/// Fetches job.url, going on from what job.partial holds (Range), again after broken connections,
/// and moves it to job.target once size and checksum are right.
/// Throws: NetworkError, and the partial file is gone if its content was wrong; IoError (disk full,
/// too little space before anything is fetched); Cancelled.
void download(HttpSession& session, const DownloadJob& job);

/// "1.71 GB", "605 MB", "12.3 kB": powers of 1000, three digits.
std::string human_bytes(uint64_t bytes);

}  // namespace openclip
