// The file of a graph: a header of 128 bytes, then level 0, the offsets and the upper lists, as
// u32.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstring>

#include "base/atomic_file.h"
#include "base/error.h"
#include "index/graph.h"

namespace openclip {
namespace {

constexpr size_t kGraphHeaderBytes = 128;
constexpr uint32_t kMaxLevel = 64;

struct GraphFileHeader {
  std::array<char, 8> magic{'\x89', 'O', 'C', 'G', '\r', '\n', '\x1a', '\n'};
  uint32_t version = 1;
  uint32_t count = 0, links = 0, entry = 0, max_level = 0, upper_lists = 0;
  GraphQuality quality;
  uint64_t links_sum = 0;  // XXH3-64 of all that follows the header
  std::array<uint8_t, 72> zeros{};
  uint64_t sum = 0;  // of the bytes before it
};
static_assert(sizeof(GraphFileHeader) == kGraphHeaderBytes &&
              offsetof(GraphFileHeader, sum) == 120);

size_t words(const GraphFileHeader& header) {
  return size_t{header.count} * (2 * size_t{header.links} + 1) +
         size_t{header.upper_lists} * header.links;
}

}  // namespace

Graph::Graph(const std::string& path, uint64_t slots) : file_(path) {
  const std::span<const uint8_t> bytes = file_.bytes();
  GraphFileHeader header;
  const GraphFileHeader expected;
  if (bytes.size() < kGraphHeaderBytes || std::memcmp(bytes.data(), &expected, 8) != 0)
    throw ParseError(path, "not a graph of openclip");
  std::memcpy(&header, bytes.data(), kGraphHeaderBytes);
  if (header.sum != XXH3_64bits(bytes.data(), kGraphHeaderBytes - 8))
    throw ParseError(path, "the header is damaged; build the graph anew");
  if (header.version != expected.version)
    throw Unsupported(fmt::format("{}: written in version {} of the format, this program reads {}",
                                  path, header.version, expected.version));
  if (header.links < 2 || header.links > kMaxLinks || header.max_level > kMaxLevel ||
      header.count > slots || (header.count > 0 && header.entry >= header.count) ||
      bytes.size() != kGraphHeaderBytes + words(header) * sizeof(uint32_t))
    throw ParseError(path, "does not fit the index; build the graph anew");
  view_ = {header.count, header.links, header.entry, header.max_level,
           reinterpret_cast<const uint32_t*>(bytes.data() + kGraphHeaderBytes)};
  view_.offsets = view_.base + size_t{view_.count} * 2 * view_.links;
  view_.upper = view_.offsets + view_.count;
  view_.upper_lists = header.upper_lists;
  quality_ = header.quality;
}

bool Graph::intact() const {
  GraphFileHeader header;
  std::memcpy(&header, file_.bytes().data(), kGraphHeaderBytes);
  const std::span<const uint8_t> links = file_.bytes().subspan(kGraphHeaderBytes);
  return header.links_sum == XXH3_64bits(links.data(), links.size());
}

void write_graph(const std::string& path, const GraphView& graph, const GraphQuality& quality) {
  GraphFileHeader header;
  header.count = graph.count;
  header.links = graph.links;
  header.entry = graph.entry;
  header.max_level = graph.max_level;
  header.upper_lists = graph.upper_lists;
  header.quality = quality;
  const std::pair<const uint32_t*, size_t> parts[] = {
      {graph.base, size_t{graph.count} * 2 * graph.links},
      {graph.offsets, graph.count},
      {graph.upper, size_t{graph.upper_lists} * graph.links}};
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const auto& [data, count] : parts) XXH3_64bits_update(&state, data, count * 4);
  header.links_sum = XXH3_64bits_digest(&state);
  header.sum = XXH3_64bits(&header, kGraphHeaderBytes - 8);
  AtomicFile file(path);
  file.stream().write(reinterpret_cast<const char*>(&header), kGraphHeaderBytes);
  for (const auto& [data, count] : parts)
    file.stream().write(reinterpret_cast<const char*>(data),
                        static_cast<std::streamsize>(count * 4));
  file.commit();
}

}  // namespace openclip
