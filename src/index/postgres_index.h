// An index in a PostgreSQL database, searched by pgvector. Rank 4.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/index.h"
#include "index/postgres.h"

namespace openclip {

/// What was committed, by whichever process, is found at once.
class PostgresIndex final : public Index {
 public:
  /// Throws: as open_index.
  explicit PostgresIndex(const std::string& place);

  const IndexSpace& space() const override { return space_; }
  int64_t size() const override;
  std::optional<GraphQuality> graph() const override;
  std::vector<std::vector<Hit>> search(const Context& context, std::span<const float> queries,
                                       const IndexQuery& query) const override;
  std::vector<std::optional<Item>> items(std::span<const int64_t> ids) const override;
  std::vector<Item> items_after(int64_t after, size_t count) const override;
  std::vector<float> vectors(std::span<const int64_t> ids) const override;
  std::optional<int64_t> find_path(std::string_view path) const override;
  void refresh() override {}

 private:
  std::string name_;
  mutable PgPool pool_;
  IndexSpace space_;
};

}  // namespace openclip
