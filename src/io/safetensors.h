// Reading and writing safetensors files. Rank 3.
// Layout: u64 little-endian header length, JSON header {name: {dtype, shape, data_offsets}}, data.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"

namespace openclip {

/// A tensor inside a mapped file. `bytes` is C order, little-endian, and not necessarily aligned to
/// the element size: copy with memcpy. Valid as long as the SafetensorsFile (or buffer) lives.
struct TensorView {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;
};

using TensorViews = std::map<std::string, TensorView>;
using StringMap = std::map<std::string, std::string>;

/// Product of the dimensions (1 for a scalar). Throws: InvalidArgument on a negative dimension or
/// more than 2^63 - 1 elements.
int64_t element_count(const std::vector<int64_t>& shape);

/// Checks a whole safetensors buffer and lists its tensors; `metadata` may be null.
/// Refused with ParseError: headers over 100 MB or the buffer, bad JSON, repeated names, unknown
/// dtypes, shapes whose size overflows or differs from the byte count, and data offsets that leave
/// the buffer, overlap or leave holes.
TensorViews parse_safetensors(const std::string& source, std::span<const uint8_t> file,
                              StringMap* metadata = nullptr);

/// One file, or the shards of a `*.safetensors.index.json`. Nothing but the headers is read until
/// a tensor's bytes are touched. Immutable, thread-safe, movable.
class SafetensorsFile {
 public:
  /// Throws: NotFound (also for a missing shard), IoError, ParseError.
  static SafetensorsFile open(const std::string& path);

  const TensorViews& tensors() const { return tensors_; }
  const StringMap& metadata() const { return metadata_; }

  /// Throws: NotFound naming the tensor.
  const TensorView& tensor(const std::string& name) const;

 private:
  void add_file(const std::string& path);
  void add_index(const std::string& path);

  std::vector<MappedFile> files_;
  TensorViews tensors_;
  StringMap metadata_;
  std::string path_;
};

/// What to write: `view.bytes` as `store_as`. Any float type may be stored as f32, f16 or bf16.
struct NamedTensor {
  std::string name;
  TensorView view;
  DType store_as = view.dtype;
};

/// Writes a file atomically. Order: element size descending, then name, so that every tensor is
/// aligned to its elements; the same input always gives the same bytes.
/// Throws: InvalidArgument for repeated or reserved names, wrong byte counts and impossible
/// conversions; IoError.
void write_safetensors(const std::string& path, std::vector<NamedTensor> tensors,
                       const StringMap& metadata = {});

}  // namespace openclip
