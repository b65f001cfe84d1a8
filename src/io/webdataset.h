// Webdataset shards: tar archives whose consecutive members with one key form a sample. Rank 3.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tar.h"

namespace openclip {

/// "dir/0001.seg.png" is part "seg.png" of sample "dir/0001".
struct WebdatasetSample {
  std::string key;                                    // member name up to the first dot of its base
  std::map<std::string, std::vector<uint8_t>> parts;  // lower-case extension -> bytes
};

/// Splits a member name into key and lower-case extension; nullopt when the base name has no dot,
/// starts with one, or lies in a part of the form __x__ (webdataset's own marks).
std::optional<std::pair<std::string, std::string>> split_webdataset_name(std::string_view name);

/// Iterates the samples of one shard. Damage is reported through `options.report`, never thrown:
/// a damaged member is left out, and a shard that is cut off ends early. Not thread-safe.
class WebdatasetReader {
 public:
  /// `options.wants` sees member names. Throws: NotFound, IoError, ParseError if it is no archive.
  explicit WebdatasetReader(const std::string& path, TarOptions options = {});
  WebdatasetReader(const std::string& source, std::span<const uint8_t> archive,
                   TarOptions options = {});

  /// The next sample with at least one part, or nullopt at the end.
  std::optional<WebdatasetSample> next();

  /// Whether the shard was damaged so that the rest of it could not be read.
  bool cut_off() const { return cut_off_; }

 private:
  std::optional<TarMember> next_member();

  TarReader tar_;
  std::function<void(const std::string&)> report_;
  std::optional<WebdatasetSample> pending_;
  bool cut_off_ = false;
};

}  // namespace openclip
