// What an index is made of: pictures of folders, archives and lists, and vectors that exist.
// Rank 5.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/index_writer.h"
#include "tasks/image_source.h"

namespace openclip {

/// Something that belongs into the index, not read yet unless it comes out of an archive.
struct IndexEntry {
  Item item;      // path, title and fields; no id
  Origin origin;  // its hash is empty until the content is read
  ImageRef image;
  std::vector<float> vector;  // instead of a picture
  std::string problem;        // instead of either: one line for the user
};

/// The entries of one input, in order. Not thread-safe.
class IndexFeed {
 public:
  virtual ~IndexFeed() = default;

  /// nullopt at the end.
  virtual std::optional<IndexEntry> next() = 0;

  /// How many there will be in all; nullopt where only reading tells.
  virtual std::optional<int64_t> total() const { return std::nullopt; }

  /// Whether everything that the input holds was listed, so that what did not come is gone.
  /// Known at the end.
  virtual bool complete() const = 0;
};

/// The feed of a folder, a picture or a tar archive (with captions and fields from a sample's .txt
/// and .json), by the input's name. Paths of items are absolute. Throws: NotFound, ParseError,
/// IoError.
std::unique_ptr<IndexFeed> picture_feed(const std::string& input);

/// Rows of EMB.npy, float [n, dim], with names from EMB.jsonl beside it where `embed` wrote one,
/// and else EMB.npy#ROW. Throws: NotFound, ParseError, InvalidArgument for other shapes.
std::unique_ptr<IndexFeed> vector_feed(const std::string& npy_path);

/// Number of columns of a .npy file of vectors. Throws: as vector_feed.
int64_t vector_dim(const std::string& npy_path);

/// Content hash, 32 hexadecimal digits (XXH3-128).
std::string content_hash(std::span<const uint8_t> bytes);

}  // namespace openclip
