// What lies in the folder of an index. Rank 4.
#pragma once

#include <cstdint>
#include <string>

#include "index/index.h"
#include "index/sqlite.h"

namespace openclip {

/// The state that the last commit left.
struct FolderState {
  IndexSpace space;
  std::string vectors;  // name of the vector file
  uint64_t slots = 0;   // of the vector file, that count
};

/// INDEX/index.sqlite.
std::string database_path(const std::string& folder);

/// INDEX/graph.ocg, which need not exist.
std::string graph_path(const std::string& folder);

/// Makes the tables of a new index. Within a transaction of the caller.
void create_tables(Database& db, const FolderState& state);

/// Throws: ParseError, Unsupported for an index of another version.
FolderState read_state(Database& db, const std::string& path);

void write_state(Database& db, std::string_view key, std::string_view value);

}  // namespace openclip
