// Filling an index. Rank 4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/index.h"

namespace openclip {

/// Where an item came from, to tell later whether it changed.
struct Origin {
  std::string source;  // the folder, archive or list that the run was given
  std::string hash;    // of the content
  int64_t size = 0;    // bytes
  int64_t mtime = 0;   // nanoseconds since 1970; 0 = unknown
};

struct KnownItem {
  int64_t id = 0;
  Origin origin;
  std::string title;
  std::string fields;  // as JSON text, see fields_text
};

/// An item's fields as the index keeps them.
std::string fields_text(const Item& item);

/// Adds, replaces and removes items. What is not committed is lost with the writer; a process that
/// is killed at any moment leaves the state of its last commit. Not thread-safe; one writer at a
/// time, readers as many as there are.
class IndexWriter {
 public:
  virtual ~IndexWriter() = default;

  virtual const IndexSpace& space() const = 0;
  virtual int64_t size() const = 0;

  /// The item of a path, also if it is not committed yet.
  virtual std::optional<KnownItem> find(std::string_view path) = 0;

  /// The vector of an item whose content has this hash, if there is one.
  virtual std::optional<std::vector<float>> find_content(std::string_view hash) = 0;

  /// Adds the item, or replaces the one of this path, which keeps its id. item.id is ignored.
  /// vector: [dim], scaled to length 1 here. Returns the id.
  virtual int64_t put(const Item& item, const Origin& origin, std::span<const float> vector) = 0;

  /// Replaces what is known of item.id, all but its path and vector.
  virtual void describe(const Item& item, const Origin& origin) = 0;

  virtual void remove(int64_t id) = 0;

  /// Ids of the items of a source, ascending.
  virtual std::vector<int64_t> ids_of(std::string_view source) = 0;

  /// A word on the state of a source when it was last gone through to its end; empty if never.
  virtual std::string stamp(std::string_view source) = 0;
  virtual void set_stamp(std::string_view source, std::string_view stamp) = 0;

  /// Makes everything so far visible and lasting. Throws: IoError.
  virtual void commit() = 0;
};

/// Opens the index in a folder or a database (place.h) for writing, or makes it where there is
/// none. `space` of an index that exists must be its own. Throws: InvalidArgument naming both
/// models or sizes when they differ; IoError, also when another process is writing; ParseError if
/// the index is damaged.
std::unique_ptr<IndexWriter> open_index_writer(const std::string& place, const IndexSpace& space);

}  // namespace openclip
