#include "index/folder_export.h"

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "index/folder_files.h"
#include "index/vector_file.h"
#include "io/faiss_file.h"

namespace openclip {

int64_t export_folder_faiss(const std::string& folder, const std::string& path) {
  Database db(database_path(folder), DatabaseMode::read_only);
  db.run("BEGIN");  // one state, whatever a writer does meanwhile
  const FolderState state = read_state(db, database_path(folder));
  const VectorFile file(folder + "/" + state.vectors, state.slots);
  int64_t count = 0;
  if (Statement row = db.prepare("SELECT count(*) FROM items"); row.step()) count = row.integer(0);
  FaissWriter out(path, state.space.dim, count);
  std::vector<float> vector(static_cast<size_t>(state.space.dim));
  for (Statement row = db.prepare("SELECT slot FROM items ORDER BY id"); row.step();) {
    file.read(static_cast<uint64_t>(row.integer(0)), vector);
    out.vector(vector);
  }
  out.begin_ids();
  for (Statement row = db.prepare("SELECT id FROM items ORDER BY id"); row.step();)
    out.id(row.integer(0));
  out.finish();
  return count;
}

}  // namespace openclip
