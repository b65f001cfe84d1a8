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
  Origin origin;  // its source is the feed's; its hash is empty until the content is read
  ImageRef image;
  std::vector<float> vector;  // instead of a picture
  std::string problem;        // instead of either: one line for the user
};

/// The entries of one input, in order. Not thread-safe.
class IndexFeed {
 public:
  virtual ~IndexFeed() = default;

  /// Absolute path of the input; the source of its entries.
  const std::string& source() const { return source_; }

  /// A word that changes with the input; an input that was gone through with the same word before
  /// need not be read again. Empty = it must be.
  virtual std::string stamp() const { return {}; }

  /// nullopt at the end.
  virtual std::optional<IndexEntry> next() = 0;

  /// How many there will be in all; nullopt where only reading tells.
  virtual std::optional<int64_t> total() const { return std::nullopt; }

  /// Whether everything that the input holds was listed, so that what did not come is gone.
  /// Known at the end.
  virtual bool complete() const = 0;

 protected:
  explicit IndexFeed(std::string source) : source_(std::move(source)) {}

 private:
  std::string source_;
};

/// The feed of an input, by its name: a folder or file of pictures; a tar archive, with titles and
/// fields from the .txt and .json of its samples; EMB.npy, with names from EMB.jsonl beside it
/// where `embed` wrote one, and else EMB.npy#ROW; a list of pictures as .csv, .tsv or .jsonl, whose
/// columns become title and fields; a folder of clip-retrieval's (img_emb/*.npy); a FAISS .index.
/// Throws: NotFound, ParseError, IoError, InvalidArgument.
std::unique_ptr<IndexFeed> open_feed(const std::string& input);

/// Whether open_feed(input) gives vectors: a .npy or FAISS file, or clip-retrieval's folder.
bool is_vector_input(const std::string& input);

/// Number of columns of the vectors of such an input. Throws: as open_feed.
int64_t vector_dim(const std::string& input);

/// Content hash, 32 hexadecimal digits (XXH3-128).
std::string content_hash(std::span<const uint8_t> bytes);

}  // namespace openclip
