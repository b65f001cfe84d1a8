// Writes the folder of an index. Rank 4.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "index/folder_files.h"
#include "index/index_writer.h"
#include "index/vector_file.h"

namespace openclip {

/// Order of a commit: vectors are appended and flushed to disk, then one SQLite transaction makes
/// them count.
class FolderWriter final : public IndexWriter {
 public:
  /// Throws: as open_index_writer.
  FolderWriter(const std::string& folder, const IndexSpace& space);
  ~FolderWriter() override;

  const IndexSpace& space() const override { return state_.space; }
  int64_t size() const override { return size_; }
  std::optional<KnownItem> find(std::string_view path) override;
  std::optional<std::vector<float>> find_content(std::string_view hash) override;
  int64_t put(const Item& item, const Origin& origin, std::span<const float> vector) override;
  void describe(const Item& item, const Origin& origin) override;
  void remove(int64_t id) override;
  std::vector<int64_t> ids_of(std::string_view source) override;
  std::string stamp(std::string_view source) override;
  void set_stamp(std::string_view source, std::string_view stamp) override;
  void commit() override;

 private:
  struct Statements;

  void open(const IndexSpace& space);
  void begin();
  int64_t source_id(std::string_view source);
  void bury(int64_t slot);

  std::string folder_;
  std::optional<FileLock> lock_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Statements> sql_;
  FolderState state_;
  std::unique_ptr<VectorAppender> vectors_;
  std::optional<Transaction> transaction_;
  std::vector<float> new_vectors_;  // not appended yet
  std::vector<int64_t> new_ids_;
  std::string last_source_;
  int64_t last_source_id_ = 0;
  int64_t size_ = 0;
};

}  // namespace openclip
