// How a download tells what it does, and is told to stop. Rank 3.
#pragma once

#include <cstdint>
#include <string>

namespace openclip {

/// All calls come from the thread that downloads. The base class is silent and never stops.
class DownloadObserver {
 public:
  virtual ~DownloadObserver() = default;
  /// `have` bytes of `total` (0 = not announced) are here already, from an earlier attempt.
  virtual void begin(const std::string& file, uint64_t have, uint64_t total) {}
  virtual void advance(uint64_t have) {}
  /// The file is complete, checked and in place.
  virtual void end() {}
  /// Why nothing moves: a retry, another process that fetches the same file.
  virtual void note(const std::string& text) {}
  /// Asked several times a second; true makes the download throw Cancelled.
  virtual bool cancelled() { return false; }
};

/// Sleeps, unless the observer cancels. Throws: Cancelled.
void sleep_watching(DownloadObserver& observer, double seconds);

/// Throws: Cancelled if the observer says so.
void throw_if_cancelled(DownloadObserver& observer);

}  // namespace openclip
