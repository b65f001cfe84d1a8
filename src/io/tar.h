// Reading tar archives (plain, gzip, zstd) member by member. Rank 3.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

struct TarMember {
  std::string name;  // raw bytes; UTF-8 in practice, but nothing guarantees it
  std::vector<uint8_t> bytes;
};

struct TarOptions {
  uint64_t max_member_bytes = uint64_t{256} << 20;
  uint64_t max_total_bytes = uint64_t{1} << 40;  // of all members read; stops compression bombs
  /// Members it refuses are passed over without being copied; null wants all.
  std::function<bool(std::string_view name)> wants;
  /// Gets one line for each member that is passed over because it is hostile, too large or
  /// damaged; null drops the lines.
  std::function<void(const std::string& problem)> report;
};

/// Whether a member name stays inside the folder it would be unpacked to: not empty, relative, no
/// ".." part and no NUL.
bool is_safe_member_name(std::string_view name);

/// Iterates the regular files of an archive in order. Only tar, and only the gzip and zstd
/// compressions, are recognised. Not thread-safe.
class TarReader {
 public:
  /// Throws: NotFound, IoError, ParseError if it is no tar archive.
  explicit TarReader(const std::string& path, TarOptions options = {});

  /// Reads from memory, which must outlive the reader; `source` names it in errors.
  TarReader(const std::string& source, std::span<const uint8_t> archive, TarOptions options = {});

  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();

  /// The next wanted member, or nullopt at the end. `member.bytes` of the previous call may be
  /// handed back through `reuse` to save an allocation.
  /// Throws: ParseError when the archive is damaged so that no later member can be found.
  std::optional<TarMember> next(std::vector<uint8_t> reuse = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace openclip
