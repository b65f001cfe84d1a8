// The file that holds an index's vectors. Rank 4.
//
//   offset 0      header, 4096 bytes: magic 89 'O' 'C' 'V' 0D 0A 1A 0A, u32 version, u32 element
//   type
//                 (0 f32, 1 f16, 2 i8), u64 dim, u32 rows per block, zeros, and in its last 8 bytes
//                 the checksum of the rest
//   offset 4096   blocks of 256 slots: vectors [256, dim], scales f32 [256], ids i64 [256],
//                 checksums u64 [256], all little-endian
//
// A vector is scale * its elements; scale is 1 but for i8. The checksum of a slot is XXH3-64 of its
// elements, seeded with XXH3-64 of its id and scale. Slots are only appended, never changed; how
// many of them count is known to the metadata, which is committed after them, so what a killed
// writer left behind is overwritten by the next one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"

namespace openclip {

inline constexpr size_t kSlotsPerBlock = 256;

struct VectorFormat {
  DType dtype = DType::f32;  // f32, f16 or i8
  int64_t dim = 0;

  size_t row_bytes() const { return static_cast<size_t>(dim) * dtype_size(dtype); }
  size_t block_bytes() const { return kSlotsPerBlock * (row_bytes() + 4 + 8 + 8); }
};

/// 256 slots in memory.
struct VectorBlock {
  const uint8_t* rows = nullptr;  // [256, dim]
  const float* scales = nullptr;
  const int64_t* ids = nullptr;
  const uint64_t* sums = nullptr;
};

/// A vector file mapped for reading. Immutable, thread-safe, movable.
class VectorFile {
 public:
  /// slots: how many count. Throws: NotFound, IoError; ParseError for a damaged header and a file
  /// that is too short for its slots.
  VectorFile(const std::string& path, uint64_t slots);

  const VectorFormat& format() const { return format_; }
  uint64_t slots() const { return slots_; }
  uint64_t blocks() const { return (slots_ + kSlotsPerBlock - 1) / kSlotsPerBlock; }

  VectorBlock block(uint64_t index) const;
  int64_t id(uint64_t slot) const;

  /// The vector as floats, scale applied. out: [dim].
  void read(uint64_t slot, std::span<float> out) const;

  /// Whether the checksum of the slot is right.
  bool intact(uint64_t slot) const;

  const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  VectorFormat format_;
  uint64_t slots_;
};

/// Appends to a vector file. Not thread-safe.
class VectorAppender {
 public:
  /// Makes an empty file, replacing what is there. Throws: IoError, InvalidArgument.
  static void create(const std::string& path, const VectorFormat& format);

  /// slots: how many count; what lies behind them is overwritten.
  /// Throws: NotFound, IoError, ParseError.
  VectorAppender(const std::string& path, uint64_t slots);
  ~VectorAppender();
  VectorAppender(const VectorAppender&) = delete;
  VectorAppender& operator=(const VectorAppender&) = delete;

  const VectorFormat& format() const { return format_; }
  uint64_t slots() const { return slots_; }

  /// vectors: [ids.size(), dim]. Returns the slot of the first. f16 is rounded to nearest, i8 to
  /// multiples of the largest magnitude / 127. Throws: IoError, e.g. disk full.
  uint64_t append(std::span<const float> vectors, std::span<const int64_t> ids);

  /// Returns when everything appended is on the disk. Throws: IoError.
  void flush();

 private:
  void write(const void* bytes, size_t size, uint64_t offset);

  std::string path_;
  int fd_ = -1;
  VectorFormat format_;
  uint64_t slots_;
};

}  // namespace openclip
