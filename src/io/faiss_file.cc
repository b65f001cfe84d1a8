#include "io/faiss_file.h"

#include <cstring>
#include <string_view>

#include "base/error.h"

namespace openclip {
namespace {

constexpr int64_t kMaxDim = 1 << 16;
constexpr int32_t kInnerProduct = 0, kL2 = 1;

class FaissReader {
 public:
  FaissReader(const std::string& source, std::span<const uint8_t> file)
      : source_(source), file_(file) {}

  FaissVectors index(int depth = 0) {
    const std::string kind = fourcc();
    if (kind == "IxFI" || kind == "IxF2" || kind == "IxFl") {
      FaissVectors found = header();
      vectors(found);
      return found;
    }
    if (kind == "IHNf") {
      const FaissVectors outer = header();
      skip_hnsw();
      return same(outer, nested(depth));
    }
    if (kind == "IxMp" || kind == "IxM2") {
      const FaissVectors outer = header();
      FaissVectors found = same(outer, nested(depth));
      if (found.ids_offset) fail("maps ids twice");
      if (number<uint64_t>() != static_cast<uint64_t>(found.count)) fail("has too few or many ids");
      found.ids_offset = skip(static_cast<uint64_t>(found.count), sizeof(int64_t));
      return found;
    }
    throw Unsupported(fmt::format(
        "{}: a FAISS index of kind '{}' is not read; flat and HNSW ones and their id maps are",
        source_, printable(kind)));
  }

 private:
  [[noreturn]] void fail(const char* problem) const {
    throw ParseError(source_, fmt::format("FAISS index {} (at byte {})", problem, at_));
  }

  static std::string printable(std::string text) {
    for (char& c : text)
      if (c < 0x20 || c > 0x7E) c = '?';
    return text;
  }

  template <class T>
  T number() {
    T value{};
    std::memcpy(&value, file_.data() + skip(1, sizeof value), sizeof value);
    return value;
  }

  // Passes over `count` elements; returns where they begin.
  size_t skip(uint64_t count, size_t size) {
    if (count > (file_.size() - at_) / size) fail("is cut off");
    const size_t begin = at_;
    at_ += static_cast<size_t>(count) * size;
    return begin;
  }
  void skip_list(size_t size) { skip(number<uint64_t>(), size); }

  std::string fourcc() {
    const size_t begin = skip(4, 1);
    return {reinterpret_cast<const char*>(file_.data()) + begin, 4};
  }

  FaissVectors header() {
    FaissVectors found;
    found.dim = number<int32_t>();
    found.count = number<int64_t>();
    skip(2, sizeof(int64_t));  // unused
    skip(1, 1);                // whether it is trained
    const auto metric = number<int32_t>();
    if (found.dim < 1 || found.dim > kMaxDim || found.count < 0) fail("has impossible sizes");
    if (metric != kInnerProduct && metric != kL2)
      throw Unsupported(
          fmt::format("{}: metric {} is not read; inner product and L2 are", source_, metric));
    found.l2 = metric == kL2;
    return found;
  }

  void vectors(FaissVectors& found) {
    const auto floats = number<uint64_t>();
    if (floats / static_cast<uint64_t>(found.dim) != static_cast<uint64_t>(found.count) ||
        floats % static_cast<uint64_t>(found.dim) != 0)
      fail("has another number of vectors than it says");
    found.vectors_offset = skip(floats, sizeof(float));
  }

  FaissVectors nested(int depth) {
    if (depth > 1) fail("is nested too deep");
    return index(depth + 1);
  }

  FaissVectors same(const FaissVectors& outer, FaissVectors inner) const {
    if (outer.dim != inner.dim || outer.count != inner.count || outer.l2 != inner.l2)
      fail("contradicts itself");
    return inner;
  }

  void skip_hnsw() {
    skip_list(sizeof(double));    // probabilities of levels
    skip_list(sizeof(int32_t));   // neighbours by level
    skip_list(sizeof(int32_t));   // levels
    skip_list(sizeof(uint64_t));  // offsets
    skip_list(sizeof(int32_t));   // neighbours
    skip(5, sizeof(int32_t));     // entry point, highest level, three widths
  }

  const std::string& source_;
  std::span<const uint8_t> file_;
  size_t at_ = 0;
};

}  // namespace

FaissVectors parse_faiss(const std::string& source, std::span<const uint8_t> file) {
  return FaissReader(source, file).index();
}

template <class T>
void FaissWriter::write(const T& value) {
  file_.stream().write(reinterpret_cast<const char*>(&value), sizeof value);
}

void FaissWriter::header(const char* kind, int64_t dim, int64_t count) {
  file_.stream() << kind;
  write(static_cast<int32_t>(dim));
  write(count);
  write(int64_t{1} << 20);  // unused, as FAISS fills it
  write(int64_t{1} << 20);
  write(uint8_t{1});  // trained
  write(kInnerProduct);
}

FaissWriter::FaissWriter(const std::string& path, int64_t dim, int64_t count)
    : file_(path), count_(count) {
  header("IxM2", dim, count);
  header("IxFI", dim, count);
  write(static_cast<uint64_t>(dim * count));
}

void FaissWriter::vector(std::span<const float> vector) {
  file_.stream().write(reinterpret_cast<const char*>(vector.data()),
                       static_cast<std::streamsize>(vector.size_bytes()));
  file_.check();
}

void FaissWriter::begin_ids() { write(static_cast<uint64_t>(count_)); }

void FaissWriter::id(int64_t id) { write(id); }

}  // namespace openclip
