// Any bytes as the vector file or the graph of an index: the first one chooses. The checksums of
// the headers are put right first, or nearly no input would get past them. Either reader then gives
// what lies inside the file, or an error.
#define XXH_INLINE_ALL
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "index/graph.h"
#include "index/vector_file.h"

namespace openclip {
namespace {

constexpr size_t kVectorHeader = 4096, kGraphHeader = 128, kMostBytes = 1 << 20;

// A file in memory, for readers that map what a path names.
class MemoryFile {
 public:
  explicit MemoryFile(const std::vector<uint8_t>& bytes) : fd_(memfd_create("fuzz", 0)) {
    if (fd_ < 0 || write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  ~MemoryFile() { close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void fix_checksum(std::vector<uint8_t>& bytes, size_t header) {
  if (bytes.size() < header) return;
  const uint64_t sum = XXH3_64bits(bytes.data(), header - 8);
  std::memcpy(bytes.data() + header - 8, &sum, sizeof sum);
}

void read_vectors(std::vector<uint8_t> bytes, uint64_t slots) {
  fix_checksum(bytes, kVectorHeader);
  const MemoryFile file(bytes);
  const VectorFile vectors(file.path(), slots);
  std::vector<float> row(static_cast<size_t>(vectors.format().dim));
  for (uint64_t slot = 0; slot < vectors.slots(); ++slot) {
    vectors.read(slot, row);
    vectors.id(slot);
    vectors.intact(slot);
  }
}

// Four vectors of two numbers, which a graph of up to four nodes may be about.
const VectorFile& four_vectors() {
  static const std::string path = [] {
    const std::string made = "/tmp/openclip_fuzz_" + std::to_string(getpid()) + ".ocv";
    VectorAppender::create(made, {.dtype = DType::f32, .dim = 2});
    VectorAppender appender(made, 0);
    const std::vector<float> rows = {1, 0, 0, 1, -1, 0, 0, -1};
    const std::vector<int64_t> ids = {1, 2, 3, 4};
    appender.append(rows, ids);
    appender.flush();
    return made;
  }();
  static const VectorFile file(path, 4);
  std::remove(path.c_str());  // mapped: the name is no longer needed
  return file;
}

void read_graph(std::vector<uint8_t> bytes) {
  fix_checksum(bytes, kGraphHeader);
  const MemoryFile file(bytes);
  const Graph graph(file.path(), 4);
  graph.intact();
  const std::vector<float> query = {0.6f, 0.8f};
  for (const SlotHit& hit : graph.search(four_vectors(), query, 3, 4))
    if (hit.slot >= 4) std::abort();
}

}  // namespace
}  // namespace openclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  if (size < 2 || size > kMostBytes) return 0;
  const std::vector<uint8_t> bytes(data + 2, data + size);
  try {
    if (data[0] == 'V') read_vectors(bytes, data[1]);
    if (data[0] == 'G') read_graph(bytes);
  } catch (const Error&) {
  }
  return 0;
}
