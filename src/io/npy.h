// NumPy's .npy files. Rank 3.
// Layout: "\x93NUMPY", version, header length, a Python dict literal, then the data in C order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"

namespace openclip {

/// What a .npy header says. `data_offset` is where the elements start in the file.
struct NpyHeader {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  size_t data_offset = 0;
  size_t data_bytes = 0;
};

/// Checks the header of a whole .npy buffer and that its data is there.
/// Throws: ParseError for anything malformed or cut off; Unsupported for big-endian, Fortran-order
/// (beyond one axis) and element types other than f2, f4, f8, i1, i2, i4, i8, u1 and b1.
NpyHeader parse_npy(const std::string& source, std::span<const uint8_t> file);

/// A mapped .npy file, versions 1 to 3. Nothing but the header is read until bytes are touched.
/// Immutable, thread-safe, movable.
class NpyFile {
 public:
  /// Throws: NotFound, IoError, ParseError, Unsupported.
  static NpyFile open(const std::string& path);

  DType dtype() const { return header_.dtype; }
  const std::vector<int64_t>& shape() const { return header_.shape; }
  std::span<const uint8_t> bytes() const {
    return file_.bytes().subspan(header_.data_offset, header_.data_bytes);
  }

  /// Elements [begin, begin + out.size()) in C order as float. Dtypes: f16, f32, f64 only.
  /// Throws: InvalidArgument beyond the end, Unsupported for integer files.
  void read_floats(size_t begin, std::span<float> out) const;

  /// All elements as float.
  std::vector<float> to_floats() const;

 private:
  NpyFile(MappedFile file, NpyHeader header);
  MappedFile file_;
  NpyHeader header_;
};

/// Writes a whole array atomically. Throws: InvalidArgument if the sizes disagree; IoError.
void write_npy(const std::string& path, const std::vector<int64_t>& shape,
               std::span<const float> values);
void write_npy(const std::string& path, const std::vector<int64_t>& shape,
               std::span<const int64_t> values);

/// Appends rows when their number is not known beforehand: array [rows, row_shape...].
/// The file appears at finish(); a writer destroyed before that leaves nothing. Not thread-safe.
class NpyWriter {
 public:
  /// dtype: f32 or i64. Throws: InvalidArgument, IoError.
  NpyWriter(const std::string& path, DType dtype, std::vector<int64_t> row_shape);
  ~NpyWriter();

  /// One or more whole rows. Throws: InvalidArgument for part of a row or the wrong type; IoError.
  void append(std::span<const float> rows);
  void append(std::span<const int64_t> rows);

  int64_t rows() const;

  /// Writes the final shape and moves the file into place. Throws: IoError.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace openclip
