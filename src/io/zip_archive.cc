#include "io/zip_archive.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "io/pickle.h"

namespace openclip {
namespace {

// Signatures, fixed sizes and fields as APPNOTE.TXT 6.3 numbers them (4.3 and 4.4).
constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56,
                 kLocatorSize = 20, kMaxComment = 65535;
constexpr uint16_t kZip64Extra = 1, kEncrypted = 1, kHasDescriptor = 8;
constexpr uint16_t kMany16 = 0xFFFF;
constexpr uint32_t kMany32 = 0xFFFFFFFF;
constexpr size_t kMaxName = 4096;

// Little-endian fields of a part of the file that is long enough.
class Fields {
 public:
  explicit Fields(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint16_t u16(size_t at) const { return static_cast<uint16_t>(read(at, 2)); }
  uint32_t u32(size_t at) const { return static_cast<uint32_t>(read(at, 4)); }
  uint64_t u64(size_t at) const { return read(at, 8); }

 private:
  uint64_t read(size_t at, size_t size) const {
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | bytes_[at + i];
    return value;
  }
  std::span<const uint8_t> bytes_;
};

// What the central directory says of one entry.
struct Record {
  std::string name;
  uint16_t flags = 0, method = 0;
  uint64_t packed = 0, unpacked = 0, header_at = 0;
};

struct EntryExtent {
  uint64_t begin, end;
  const std::string* name;
};

class Parser {
 public:
  Parser(const std::string& source, std::span<const uint8_t> file) : source_(source), file_(file) {}

  std::map<std::string, ZipEntry> parse() {
    find_directory();
    uint64_t at = directory_at_;
    for (uint64_t i = 0; i < count_; ++i) at = add_record(at);
    if (at != directory_end_) fail("its directory is longer than its entries");
    check_overlaps();
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw ParseError(source_, "damaged zip archive: " + problem);
  }

  // `size` bytes at `at`, which must end before `limit`.
  std::span<const uint8_t> part(uint64_t at, uint64_t size, uint64_t limit,
                                const char* what) const {
    if (at > limit || size > limit - at)
      fail(fmt::format("{} at byte {} leaves the archive", what, at));
    return file_.subspan(static_cast<size_t>(at), static_cast<size_t>(size));
  }

  // The end record is followed by a comment only, so it is searched from the end.
  uint64_t find_end() const {
    if (file_.size() < kEndSize) fail("too short");
    const size_t last = file_.size() - kEndSize;
    const size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (size_t at = last + 1; at-- > first;) {
      const Fields end(file_.subspan(at, kEndSize));
      if (end.u32(0) == kEnd && end.u16(20) == file_.size() - at - kEndSize) return at;
    }
    fail("it has no directory; the file is cut off");
  }

  void find_directory() {
    uint64_t end_at = find_end();
    const Fields end(file_.subspan(static_cast<size_t>(end_at), kEndSize));
    if (end.u16(4) != end.u16(6) || (end.u16(4) != 0 && end.u16(4) != kMany16))
      fail("it spans several disks");
    count_ = end.u16(10);
    uint64_t size = end.u32(12);
    directory_at_ = end.u32(16);
    if (count_ == kMany16 || size == kMany32 || directory_at_ == kMany32) {
      if (end_at < kLocatorSize) fail("it has no zip64 locator");
      const uint64_t locator_at = end_at - kLocatorSize;
      const Fields locator(file_.subspan(static_cast<size_t>(locator_at), kLocatorSize));
      if (locator.u32(0) != kEnd64Locator) fail("it has no zip64 locator");
      end_at = locator.u64(8);
      const Fields end64(part(end_at, kEnd64Size, locator_at, "the zip64 end record"));
      if (end64.u32(0) != kEnd64) fail("it has no zip64 end record");
      count_ = end64.u64(32);
      size = end64.u64(40);
      directory_at_ = end64.u64(48);
    }
    part(directory_at_, size, end_at, "the directory");
    directory_end_ = directory_at_ + size;
    if (count_ > size / kCentralSize) fail(fmt::format("{} entries in {} bytes", count_, size));
  }

  uint64_t add_record(uint64_t at) {
    const Fields fixed(part(at, kCentralSize, directory_end_, "a directory entry"));
    if (fixed.u32(0) != kCentralHeader) fail(fmt::format("no directory entry at byte {}", at));
    const uint64_t name_size = fixed.u16(28), extra_size = fixed.u16(30);
    const uint64_t size = kCentralSize + name_size + extra_size + fixed.u16(32);
    const auto whole = part(at, size, directory_end_, "a directory entry");
    Record record{.name = read_name(whole.subspan(kCentralSize, name_size)),
                  .flags = fixed.u16(8),
                  .method = fixed.u16(10),
                  .packed = fixed.u32(20),
                  .unpacked = fixed.u32(24),
                  .header_at = fixed.u32(42)};
    read_zip64(whole.subspan(kCentralSize + name_size, extra_size), record);
    add_entry(record);
    return at + size;
  }

  std::string read_name(std::span<const uint8_t> bytes) const {
    const std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    bool sane = !name.empty() && name.size() <= kMaxName && name.front() != '/';
    for (const char c : name) sane = sane && static_cast<unsigned char>(c) >= ' ' && c != '\\';
    const std::string path = "/" + name + "/";
    sane = sane && path.find("/../") == std::string::npos;
    if (!sane) fail(fmt::format("entry name '{}'", quotable(name)));
    return name;
  }

  // Sizes that do not fit 32 bits stand in an extra field, in this order, those that are needed.
  void read_zip64(std::span<const uint8_t> extra, Record& record) const {
    while (extra.size() >= 4) {
      const Fields head(extra);
      const size_t size = head.u16(2);
      if (size > extra.size() - 4) return;  // padding, as aligning writers leave
      if (head.u16(0) == kZip64Extra) {
        auto values = extra.subspan(4, size);
        for (uint64_t* field : {&record.unpacked, &record.packed, &record.header_at}) {
          if (*field != kMany32) continue;
          if (values.size() < 8)
            fail(fmt::format("entry '{}' lacks a size", quotable(record.name)));
          *field = Fields(values).u64(0);
          values = values.subspan(8);
        }
        return;
      }
      extra = extra.subspan(4 + size);
    }
  }

  void add_entry(const Record& record) {
    const std::string shown = quotable(record.name);
    if (record.flags & kEncrypted) fail(fmt::format("entry '{}' is encrypted", shown));
    const auto local = part(record.header_at, kLocalSize, directory_at_, "an entry");
    const Fields header(local);
    if (header.u32(0) != kLocalHeader) fail(fmt::format("entry '{}' has no header", shown));
    const uint64_t name_size = header.u16(26);
    const auto name = part(record.header_at + kLocalSize, name_size, directory_at_, "an entry");
    if (header.u16(8) != record.method ||
        !std::equal(name.begin(), name.end(), record.name.begin(), record.name.end(),
                    [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); }))
      fail(fmt::format("entry '{}' differs from its header", shown));
    const bool stored = record.method == 0;
    if (stored && record.packed != record.unpacked)
      fail(fmt::format("entry '{}' has two sizes", shown));
    // With a descriptor behind the data, or zip64, the header need not know the size.
    const uint32_t size = header.u32(18);
    if (!(header.u16(6) & kHasDescriptor) && size != kMany32 && size != record.packed)
      fail(fmt::format("entry '{}' differs from its header", shown));
    const uint64_t data_at = record.header_at + kLocalSize + name_size + header.u16(28);
    const auto data = part(data_at, record.packed, directory_at_, "an entry");
    const auto [place, is_new] = entries_.emplace(record.name, ZipEntry{stored, data});
    if (!is_new) fail(fmt::format("entry '{}' is there twice", shown));
    extents_.push_back({record.header_at, data_at + record.packed, &place->first});
  }

  void check_overlaps() {
    std::sort(extents_.begin(), extents_.end(),
              [](const EntryExtent& a, const EntryExtent& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < extents_.size(); ++i)
      if (extents_[i].begin < extents_[i - 1].end)
        fail(fmt::format("entries '{}' and '{}' overlap", quotable(*extents_[i - 1].name),
                         quotable(*extents_[i].name)));
  }

  const std::string& source_;
  std::span<const uint8_t> file_;
  uint64_t count_ = 0, directory_at_ = 0, directory_end_ = 0;
  std::map<std::string, ZipEntry> entries_;
  std::vector<EntryExtent> extents_;
};

}  // namespace

std::map<std::string, ZipEntry> parse_zip(const std::string& source,
                                          std::span<const uint8_t> file) {
  return Parser(source, file).parse();
}

}  // namespace openclip
