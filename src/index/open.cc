// What is asked of a place goes to the folder or to the database.
#include "index/check.h"
#include "index/export.h"
#include "index/folder_check.h"
#include "index/folder_export.h"
#include "index/folder_index.h"
#include "index/folder_writer.h"
#include "index/graph_build.h"
#include "index/place.h"
#include "index/postgres_check.h"
#include "index/postgres_graph.h"
#include "index/postgres_index.h"
#include "index/postgres_writer.h"

namespace openclip {

std::shared_ptr<Index> open_index(const std::string& place) {
  if (is_database(place)) return std::make_shared<PostgresIndex>(place);
  return std::make_shared<FolderIndex>(place);
}

std::unique_ptr<IndexWriter> open_index_writer(const std::string& place, const IndexSpace& space) {
  if (is_database(place)) return std::make_unique<PostgresWriter>(place, space);
  return std::make_unique<FolderWriter>(place, space);
}

int64_t check_index(const std::string& place,
                    const std::function<void(const std::string& fault)>& tell) {
  return is_database(place) ? check_database(place, tell) : check_folder(place, tell);
}

int64_t export_faiss(const std::string& place, const std::string& path) {
  return is_database(place) ? export_database_faiss(place, path) : export_folder_faiss(place, path);
}

GraphReport build_index_graph(const Context& context, const std::string& place,
                              const GraphOptions& options,
                              const std::function<void(int64_t nodes)>& on_progress) {
  if (is_database(place)) return build_database_graph(place, options);
  return build_folder_graph(context, place, options, on_progress);
}

}  // namespace openclip
