// Where the bytes of a shard come from.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace openclip::train {

/// A shard that can be read at path(): a file; the output of a command ("pipe:COMMAND", run by
/// /bin/sh); or a download (http, https), fetched whole to a temporary file with the retries of
/// io/http, so that a connection that breaks off does not end the shard.
class ShardSource {
 public:
  /// Throws: NotFound, NetworkError, IoError.
  explicit ShardSource(const std::string& shard);
  ~ShardSource();
  ShardSource(const ShardSource&) = delete;
  ShardSource& operator=(const ShardSource&) = delete;

  const std::string& path() const { return path_; }

  /// To be called when everything is read: what went wrong with the command, or empty.
  std::string finish();

  static bool is_download(const std::string& shard);

 private:
  void start(const std::string& command);
  void fetch(const std::string& url);

  const std::string shard_;
  std::string path_;
  FILE* command_ = nullptr;
  bool temporary_ = false;
};

}  // namespace openclip::train
