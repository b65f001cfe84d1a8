// Writing tar archives. Rank 3.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace openclip {

/// Writes regular files into a tar (ustar, with pax headers where a name needs them). The same
/// members give the same bytes: no clock, no owner. The file appears at finish(); a writer
/// destroyed before leaves nothing. Not thread-safe.
class TarWriter {
 public:
  /// Throws: IoError.
  explicit TarWriter(const std::string& path);
  ~TarWriter();

  /// Throws: InvalidArgument for names that would leave the folder they are unpacked to; IoError.
  void add(const std::string& name, std::span<const uint8_t> bytes);

  /// Throws: IoError, e.g. disk full.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace openclip
