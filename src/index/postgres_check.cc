#include "index/postgres_check.h"

#include <vector>

#include "base/error.h"
#include "index/postgres_tables.h"
#include "io/faiss_file.h"

namespace openclip {
namespace {

// One state, whatever a writer does meanwhile.
constexpr const char* kOneState = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

// Calls use(rows) for blocks of "SELECT id, …" in the order of the ids.
template <typename Use>
void each_block(PgConnection& session, const std::string& columns, const Use& use) {
  for (int64_t after = 0;;) {
    const PgResult rows = session.run(
        fmt::format("SELECT {} FROM openclip_items WHERE id > $1::bigint ORDER BY id LIMIT 4096",
                    columns),
        {after});
    if (rows.rows() == 0) return;
    use(rows);
    after = rows.integer(rows.rows() - 1, 0);
  }
}

}  // namespace

int64_t check_database(const std::string& place,
                       const std::function<void(const std::string& fault)>& tell) {
  PgConnection session(place);
  const IndexSpace space = read_space(session);
  // Numbers of halfvec have 11 bits: the length is off by less than 2^-11.
  const PgResult rows =
      session.run(fmt::format("SELECT id, path FROM openclip_items "
                              "WHERE abs({}(vector) - 1) > 0.001 ORDER BY id",
                              space.dtype == DType::f32 ? "vector_norm" : "l2_norm"));
  for (size_t row = 0; row < rows.rows(); ++row)
    tell(fmt::format("{}: item {} ({}) has a vector that is not of length 1", session.name(),
                     rows.integer(row, 0), rows.text(row, 1)));
  return static_cast<int64_t>(rows.rows());
}

int64_t export_database_faiss(const std::string& place, const std::string& path) {
  PgConnection session(place);
  const PgTransaction transaction(session, kOneState);
  const IndexSpace space = read_space(session);
  const int64_t count = session.run("SELECT count(*) FROM openclip_items").integer(0, 0);
  FaissWriter out(path, space.dim, count);
  std::vector<float> vector(static_cast<size_t>(space.dim));
  each_block(session, "id, vector", [&](const PgResult& rows) {
    for (size_t row = 0; row < rows.rows(); ++row) {
      rows.vector(row, 1, vector);
      out.vector(vector);
    }
  });
  out.begin_ids();
  each_block(session, "id", [&](const PgResult& rows) {
    for (size_t row = 0; row < rows.rows(); ++row) out.id(rows.integer(row, 0));
  });
  out.finish();
  return count;
}

}  // namespace openclip
