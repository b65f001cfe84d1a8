#include <cstring>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "io/npy.h"

namespace openclip {
namespace {

// A header of the length NumPy pads to (a multiple of 64). 128 bytes have room for 20-digit row
// counts and a few axes, so the count can be filled in at the end without moving the data.
std::string make_header(DType dtype, const std::vector<int64_t>& shape, size_t min_bytes) {
  std::string dims;
  for (const int64_t dim : shape) dims += fmt::format("{}, ", dim);
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.pop_back();  // (3,)
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 dtype == DType::f32 ? "<f4" : "<i8", dims);
  size_t total = 10 + dict.size() + 1;
  total = std::max((total + 63) / 64 * 64, min_bytes);
  dict.resize(total - 10 - 1, ' ');
  const size_t length = total - 10;
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xFF);
  header += static_cast<char>(length >> 8);
  return header + dict + '\n';
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape)
    check_arg(dim >= 0 && !__builtin_mul_overflow(count, dim, &count),
              "[npy] dimension {} is negative, or the size overflows", dim);
  return count;
}

template <class T>
void write_array(const std::string& path, DType dtype, const std::vector<int64_t>& shape,
                 std::span<const T> values) {
  check_arg(shape.size() <= 32, "[write_npy] {} axes, at most 32 are allowed", shape.size());
  check_arg(static_cast<size_t>(product(shape)) == values.size(),
            "[write_npy] {} values do not fill the shape", values.size());
  AtomicFile file(path);
  const std::string header = make_header(dtype, shape, 0);
  file.stream().write(header.data(), static_cast<std::streamsize>(header.size()));
  file.stream().write(reinterpret_cast<const char*>(values.data()),
                      static_cast<std::streamsize>(values.size_bytes()));
  file.commit();
}

}  // namespace

void write_npy(const std::string& path, const std::vector<int64_t>& shape,
               std::span<const float> values) {
  write_array(path, DType::f32, shape, values);
}

void write_npy(const std::string& path, const std::vector<int64_t>& shape,
               std::span<const int64_t> values) {
  write_array(path, DType::i64, shape, values);
}

struct NpyWriter::State {
  AtomicFile file;
  DType dtype;
  std::vector<int64_t> shape;  // shape[0] counts the rows so far
  size_t row_size;
  size_t header_bytes;

  template <class T>
  void append(DType wanted, std::span<const T> rows) {
    check_arg(dtype == wanted, "[NpyWriter] the file holds {}, got {}", dtype_name(dtype),
              dtype_name(wanted));
    check_arg(row_size != 0 && rows.size() % row_size == 0,
              "[NpyWriter] {} values are not whole rows of {}", rows.size(), row_size);
    file.stream().write(reinterpret_cast<const char*>(rows.data()),
                        static_cast<std::streamsize>(rows.size_bytes()));
    file.check();
    shape[0] += static_cast<int64_t>(rows.size() / row_size);
  }
};

NpyWriter::NpyWriter(const std::string& path, DType dtype, std::vector<int64_t> row_shape) {
  check_arg(dtype == DType::f32 || dtype == DType::i64, "[NpyWriter] writes f32 or i64, got {}",
            dtype_name(dtype));
  check_arg(row_shape.size() < 32, "[NpyWriter] {} axes are too many", row_shape.size());
  const auto row_size = static_cast<size_t>(product(row_shape));
  std::vector<int64_t> shape = std::move(row_shape);
  shape.insert(shape.begin(), INT64_MAX);  // the longest count, so that the header has room
  const size_t header_bytes = make_header(dtype, shape, 0).size();
  shape[0] = 0;
  state_.reset(new State{AtomicFile(path), dtype, std::move(shape), row_size, header_bytes});
  const std::string blank(header_bytes, '\0');
  state_->file.stream().write(blank.data(), static_cast<std::streamsize>(blank.size()));
}

NpyWriter::~NpyWriter() = default;

void NpyWriter::append(std::span<const float> rows) { state_->append(DType::f32, rows); }
void NpyWriter::append(std::span<const int64_t> rows) { state_->append(DType::i64, rows); }
int64_t NpyWriter::rows() const { return state_->shape[0]; }

void NpyWriter::finish() {
  const std::string header = make_header(state_->dtype, state_->shape, state_->header_bytes);
  state_->file.stream().seekp(0);
  state_->file.stream().write(header.data(), static_cast<std::streamsize>(header.size()));
  state_->file.commit();
}

}  // namespace openclip
