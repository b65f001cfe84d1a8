#include "index/vector_file.h"

#include <fcntl.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "kernels/similarity.h"

namespace openclip {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it is");

constexpr size_t kVectorHeaderBytes = 4096;
constexpr int64_t kMaxDim = 1 << 16;
constexpr std::array<DType, 3> kTypes = {DType::f32, DType::f16, DType::i8};

struct VectorFileHeader {  // its first bytes; zeros follow, and the checksum ends it
  std::array<char, 8> magic{'\x89', 'O', 'C', 'V', '\r', '\n', '\x1a', '\n'};
  uint32_t version = 1;
  uint32_t type = 0;
  uint64_t dim = 0;
  uint32_t slots_per_block = kSlotsPerBlock;
};
constexpr size_t kFieldBytes = 28;

uint64_t header_sum(const uint8_t* header) { return XXH3_64bits(header, kVectorHeaderBytes - 8); }

VectorFormat parse_header(const std::string& path, std::span<const uint8_t> bytes) {
  const VectorFileHeader expected;
  if (bytes.size() < kVectorHeaderBytes ||
      std::memcmp(bytes.data(), expected.magic.data(), expected.magic.size()) != 0)
    throw ParseError(path, "not a vector file of openclip");
  const auto read = [&](size_t offset, auto value) {
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  };
  if (read(kVectorHeaderBytes - 8, uint64_t{}) != header_sum(bytes.data()))
    throw ParseError(path, "the header is damaged; build the index anew");
  if (const auto version = read(8, uint32_t{}); version != expected.version)
    throw Unsupported(fmt::format("{}: written in version {} of the format, this program reads {}",
                                  path, version, expected.version));
  const auto type = read(12, uint32_t{});
  const auto dim = read(16, uint64_t{});
  if (type >= kTypes.size() || dim < 1 || dim > kMaxDim || read(24, uint32_t{}) != kSlotsPerBlock)
    throw ParseError(path, "the header makes no sense; build the index anew");
  return {kTypes[type], static_cast<int64_t>(dim)};
}

uint64_t slot_sum(const uint8_t* row, size_t row_bytes, int64_t id, float scale) {
  uint8_t seed[12];
  std::memcpy(seed, &id, 8);
  std::memcpy(seed + 8, &scale, 4);
  return XXH3_64bits_withSeed(row, row_bytes, XXH3_64bits(seed, sizeof seed));
}

// Where the parts of a block lie.
struct Layout {
  explicit Layout(const VectorFormat& format)
      : row_bytes(format.row_bytes()), block_bytes(format.block_bytes()) {}
  uint64_t block(uint64_t index) const { return kVectorHeaderBytes + index * block_bytes; }
  uint64_t scales() const { return kSlotsPerBlock * row_bytes; }
  uint64_t ids() const { return scales() + kSlotsPerBlock * 4; }
  uint64_t sums() const { return ids() + kSlotsPerBlock * 8; }
  size_t row_bytes, block_bytes;
};

// One vector in the file's element type; returns its scale.
float encode(std::span<const float> vector, DType dtype, uint8_t* to) {
  if (dtype == DType::f32) {
    std::memcpy(to, vector.data(), vector.size_bytes());
    return 1;
  }
  if (dtype == DType::f16) {
    for (size_t i = 0; i < vector.size(); ++i) {
      const uint16_t bits = f32_to_f16(vector[i]);
      std::memcpy(to + 2 * i, &bits, 2);
    }
    return 1;
  }
  float largest = 0;
  for (const float value : vector) largest = std::max(largest, std::abs(value));
  const float scale = largest > 0 ? largest / 127 : 1;
  for (size_t i = 0; i < vector.size(); ++i)
    to[i] = static_cast<uint8_t>(static_cast<int8_t>(std::lround(vector[i] / scale)));
  return scale;
}

}  // namespace

VectorFile::VectorFile(const std::string& path, uint64_t slots)
    : file_(path), format_(parse_header(path, file_.bytes())), slots_(slots) {
  const uint64_t room = (file_.bytes().size() - kVectorHeaderBytes) / format_.block_bytes();
  if (blocks() > room)
    throw ParseError(path, fmt::format("cut off: {} vectors are missing; build the index anew",
                                       slots_ - room * kSlotsPerBlock));
  file_.expect_scattered_reads();
}

VectorBlock VectorFile::block(uint64_t index) const {
  const Layout layout(format_);
  const uint8_t* base = file_.bytes().data() + layout.block(index);
  return {base, reinterpret_cast<const float*>(base + layout.scales()),
          reinterpret_cast<const int64_t*>(base + layout.ids()),
          reinterpret_cast<const uint64_t*>(base + layout.sums())};
}

int64_t VectorFile::id(uint64_t slot) const {
  return block(slot / kSlotsPerBlock).ids[slot % kSlotsPerBlock];
}

void VectorFile::read(uint64_t slot, std::span<float> out) const {
  check_arg(slot < slots_ && out.size() == static_cast<size_t>(format_.dim),
            "[vector file] slot {} of {} into {} floats", slot, slots_, out.size());
  const VectorBlock from = block(slot / kSlotsPerBlock);
  const size_t row = slot % kSlotsPerBlock;
  kernels::widen(format_.dtype, from.rows + row * format_.row_bytes(), out.size(), out.data());
  if (format_.dtype == DType::i8)
    for (float& value : out) value *= from.scales[row];
}

bool VectorFile::intact(uint64_t slot) const {
  const VectorBlock from = block(slot / kSlotsPerBlock);
  const size_t row = slot % kSlotsPerBlock;
  return from.sums[row] == slot_sum(from.rows + row * format_.row_bytes(), format_.row_bytes(),
                                    from.ids[row], from.scales[row]);
}

void VectorAppender::create(const std::string& path, const VectorFormat& format) {
  const auto type = std::find(kTypes.begin(), kTypes.end(), format.dtype);
  check_arg(type != kTypes.end(), "[vector file] elements are f32, f16 or i8, not {}",
            dtype_name(format.dtype));
  check_arg(format.dim >= 1 && format.dim <= kMaxDim, "[vector file] {} dimensions; 1 to {} go",
            format.dim, kMaxDim);
  std::string header(kVectorHeaderBytes, '\0');
  VectorFileHeader fields;
  fields.type = static_cast<uint32_t>(type - kTypes.begin());
  fields.dim = static_cast<uint64_t>(format.dim);
  std::memcpy(header.data(), &fields, kFieldBytes);
  const uint64_t sum = header_sum(reinterpret_cast<const uint8_t*>(header.data()));
  std::memcpy(header.data() + kVectorHeaderBytes - 8, &sum, 8);
  write_file_atomic(path, header);
}

VectorAppender::VectorAppender(const std::string& path, uint64_t slots)
    : path_(path), format_(VectorFile(path, slots).format()), slots_(slots) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) throw IoError(fmt::format("{}: cannot write: {}", path, std::strerror(errno)));
}

VectorAppender::~VectorAppender() {
  if (fd_ >= 0) ::close(fd_);
}

void VectorAppender::write(const void* bytes, size_t size, uint64_t offset) {
  const auto* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t done = ::pwrite(fd_, from, size, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) throw IoError(fmt::format("{}: cannot write: {}", path_, std::strerror(errno)));
    from += done;
    offset += static_cast<uint64_t>(done);
    size -= static_cast<size_t>(done);
  }
}

uint64_t VectorAppender::append(std::span<const float> vectors, std::span<const int64_t> ids) {
  const auto dim = static_cast<size_t>(format_.dim);
  check_arg(vectors.size() == ids.size() * dim, "[vector file] {} floats are not {} x {}",
            vectors.size(), ids.size(), dim);
  const Layout layout(format_);
  const uint64_t first = slots_;
  std::vector<uint8_t> rows;
  std::vector<float> scales;
  std::vector<uint64_t> sums;
  for (size_t done = 0; done < ids.size();) {
    const uint64_t row = slots_ % kSlotsPerBlock;
    const size_t count = std::min<size_t>(ids.size() - done, kSlotsPerBlock - row);
    rows.resize(count * layout.row_bytes);
    scales.resize(count);
    sums.resize(count);
    for (size_t i = 0; i < count; ++i) {
      uint8_t* to = rows.data() + i * layout.row_bytes;
      scales[i] = encode(vectors.subspan((done + i) * dim, dim), format_.dtype, to);
      sums[i] = slot_sum(to, layout.row_bytes, ids[done + i], scales[i]);
    }
    const uint64_t block = layout.block(slots_ / kSlotsPerBlock);
    write(rows.data(), rows.size(), block + row * layout.row_bytes);
    write(scales.data(), count * 4, block + layout.scales() + row * 4);
    write(ids.data() + done, count * 8, block + layout.ids() + row * 8);
    write(sums.data(), count * 8, block + layout.sums() + row * 8);
    // A block is there as a whole, so that it can be mapped.
    if (row == 0 && ::ftruncate(fd_, static_cast<off_t>(block + layout.block_bytes)) != 0)
      throw IoError(fmt::format("{}: cannot write: {}", path_, std::strerror(errno)));
    slots_ += count;
    done += count;
  }
  return first;
}

void VectorAppender::flush() {
  if (::fdatasync(fd_) != 0)
    throw IoError(fmt::format("{}: cannot write: {}", path_, std::strerror(errno)));
}

}  // namespace openclip
