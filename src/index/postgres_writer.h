// Fills an index in a PostgreSQL database. Rank 4.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "index/index_writer.h"
#include "index/postgres.h"

namespace openclip {

/// Every item is a transaction of its own, so that processes never wait for each other's; commit()
/// waits until all of them are on disk. Several processes may fill one database, each from other
/// sources.
class PostgresWriter final : public IndexWriter {
 public:
  /// Throws: as open_index_writer.
  PostgresWriter(const std::string& place, const IndexSpace& space);

  const IndexSpace& space() const override { return space_; }
  int64_t size() const override;
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
  int64_t source_id(std::string_view source);

  mutable PgConnection session_;
  IndexSpace space_;
  std::string last_source_;
  int64_t last_source_id_ = 0;
};

}  // namespace openclip
