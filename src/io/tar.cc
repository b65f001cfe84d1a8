#include "io/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"

namespace openclip {
namespace {

constexpr size_t kBlockBytes = 1 << 18;
constexpr size_t kGrowth = 1 << 20;  // a header's size is not believed further than this ahead
constexpr int kMaxRetries = 1000;    // damaged headers in a row before giving up

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
using Archive = std::unique_ptr<archive, ArchiveFree>;

// Only the formats named in the documentation: libarchive's other readers (rar, cab, iso, ...) are
// attack surface that nobody asked for.
Archive new_archive() {
  Archive a(archive_read_new());
  if (!a) throw Internal("[tar] libarchive gave no reader");
  archive_read_support_format_tar(a.get());
  archive_read_support_format_empty(a.get());
  archive_read_support_filter_gzip(a.get());
  archive_read_support_filter_zstd(a.get());
  return a;
}

// Pax names are UTF-8 by definition and are lost to archive_entry_pathname under the C locale;
// old names are raw bytes and may not be UTF-8 at all.
std::string member_name(archive_entry* entry) {
  if (const char* name = archive_entry_pathname_utf8(entry)) return name;
  if (const char* name = archive_entry_pathname(entry)) return name;
  return {};
}

}  // namespace

bool is_safe_member_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos)
    return false;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

struct TarReader::State {
  std::string source;
  TarOptions options;
  Archive archive = new_archive();
  uint64_t total_bytes = 0;
  bool ended = false;  // libarchive must not be asked again after the end

  std::string reason() const {
    const char* text = archive_error_string(archive.get());
    std::string line = text != nullptr ? text : "damaged";
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
  }

  void opened(int result) {
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    throw ParseError(source, fmt::format("not a readable tar archive: {}", reason()));
  }

  void report(const std::string& name, const std::string& problem) const {
    if (options.report) options.report(fmt::format("{}: member '{}': {}", source, name, problem));
  }

  archive_entry* next_header() {
    if (ended) return nullptr;
    archive_entry* entry = nullptr;
    for (int tries = 0; tries < kMaxRetries; ++tries) {
      const int result = archive_read_next_header(archive.get(), &entry);
      if (result == ARCHIVE_EOF) {
        ended = true;
        return nullptr;
      }
      if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return entry;
      if (result != ARCHIVE_RETRY) break;
      report("?", reason());
    }
    ended = true;
    throw ParseError(source, fmt::format("damaged tar archive: {}", reason()));
  }

  // False (after a report) when the member is damaged or larger than allowed.
  bool read_bytes(archive_entry* entry, TarMember* member) {
    const int64_t declared = archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0;
    if (declared < 0 || static_cast<uint64_t>(declared) > options.max_member_bytes) {
      report(member->name, fmt::format("{} bytes, more than the limit of {}; skipped", declared,
                                       options.max_member_bytes));
      return false;
    }
    std::vector<uint8_t>& bytes = member->bytes;
    size_t size = 0;
    bytes.resize(std::min<size_t>(static_cast<size_t>(declared), kGrowth));
    while (true) {
      if (size == bytes.size()) {
        if (size >= static_cast<uint64_t>(declared)) break;
        bytes.resize(std::min(static_cast<size_t>(declared), size + std::max(size, kGrowth)));
      }
      const la_ssize_t got =
          archive_read_data(archive.get(), bytes.data() + size, bytes.size() - size);
      if (got == 0) break;
      if (got < 0) {
        report(member->name, fmt::format("{}; skipped", reason()));
        return false;
      }
      size += static_cast<size_t>(got);
    }
    bytes.resize(size);
    if (size != static_cast<size_t>(declared)) {
      report(member->name, "cut off; skipped");
      return false;
    }
    return true;
  }
};

TarReader::TarReader(const std::string& path, TarOptions options) : state_(new State) {
  state_->source = path;
  state_->options = std::move(options);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      throw NotFound(fmt::format("{}: no such file; check the path", path));
    throw IoError(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  }
  if (S_ISDIR(info.st_mode)) throw IoError(fmt::format("{}: is a directory; pass a file", path));
  state_->opened(archive_read_open_filename(state_->archive.get(), path.c_str(), kBlockBytes));
}

TarReader::TarReader(const std::string& source, std::span<const uint8_t> archive,
                     TarOptions options)
    : state_(new State) {
  state_->source = source;
  state_->options = std::move(options);
  state_->opened(archive_read_open_memory(state_->archive.get(), archive.data(), archive.size()));
}

TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

std::optional<TarMember> TarReader::next(std::vector<uint8_t> reuse) {
  TarMember member{{}, std::move(reuse)};
  while (archive_entry* entry = state_->next_header()) {
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      continue;
    member.name = member_name(entry);
    if (!is_safe_member_name(member.name)) {
      state_->report(member.name, "its name leads outside the archive; skipped");
      continue;
    }
    if (state_->options.wants && !state_->options.wants(member.name)) continue;
    if (!state_->read_bytes(entry, &member)) continue;
    state_->total_bytes += member.bytes.size();
    if (state_->total_bytes > state_->options.max_total_bytes)
      throw ParseError(state_->source, fmt::format("members exceed {} bytes in all",
                                                   state_->options.max_total_bytes));
    return member;
  }
  return std::nullopt;
}

}  // namespace openclip
