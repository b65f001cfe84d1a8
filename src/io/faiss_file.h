// FAISS' index files: the vectors of flat and HNSW indexes. Rank 3.
// Source: faiss/impl/index_write.cpp; written and read by faiss 1.5 to 1.15.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/atomic_file.h"

namespace openclip {

/// What such a file holds, and where.
struct FaissVectors {
  int64_t dim = 0, count = 0;
  bool l2 = false;                   // compared by distance, else by inner product
  size_t vectors_offset = 0;         // of float32 [count, dim], any alignment
  std::optional<size_t> ids_offset;  // of int64 [count]; absent: ids are row numbers
};

/// Finds the vectors of IndexFlat (IxFI, IxF2, IxFl), IndexHNSWFlat (IHNf) and IndexIDMap and
/// IndexIDMap2 (IxMp, IxM2) of these. Every count is checked against the size of the file before it
/// is used. Throws: ParseError for damaged files; Unsupported naming the kind of other indexes.
FaissVectors parse_faiss(const std::string& source, std::span<const uint8_t> file);

/// Writes an IndexIDMap2 of an IndexFlatIP: first all vectors, then all ids.
class FaissWriter {
 public:
  /// Throws: IoError.
  FaissWriter(const std::string& path, int64_t dim, int64_t count);
  void vector(std::span<const float> vector);
  void begin_ids();  // after the last vector
  void id(int64_t id);
  /// Throws: IoError.
  void finish() { file_.commit(); }

 private:
  template <class T>
  void write(const T& value);
  void header(const char* kind, int64_t dim, int64_t count);

  AtomicFile file_;
  int64_t count_;
};

}  // namespace openclip
