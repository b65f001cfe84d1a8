// JSON lines out: one value per line, the file complete or absent. Rank 3.
#pragma once

#include <string>

#include "base/atomic_file.h"
#include "io/json.h"

namespace openclip {

/// One line of JSON, UTF-8. File names may hold any bytes: what is not UTF-8 becomes U+FFFD, so
/// that every reader accepts the line. No line breaks inside.
std::string json_line(const OrderedJson& value);

/// Writes `path` line by line; it appears at finish(). Not thread-safe.
class JsonlWriter {
 public:
  /// Throws: IoError.
  explicit JsonlWriter(const std::string& path) : file_(path) {}

  /// Throws: IoError, e.g. disk full.
  void write(const OrderedJson& value);

  /// Throws: IoError.
  void finish() { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace openclip
