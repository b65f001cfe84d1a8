// Looking over, and giving away, an index in a PostgreSQL database. Rank 4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace openclip {

/// Whether every vector has the length 1; the database itself answers for the rest. As check_index.
int64_t check_database(const std::string& place,
                       const std::function<void(const std::string& fault)>& tell);

/// As export_faiss.
int64_t export_database_faiss(const std::string& place, const std::string& path);

}  // namespace openclip
