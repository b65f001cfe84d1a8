// The tables of an index in PostgreSQL. Rank 4.
#pragma once

#include <optional>
#include <string>

#include "index/index.h"
#include "index/postgres.h"

namespace openclip {

/// The name of pgvector's type that keeps these vectors.
/// Throws: InvalidArgument for int8, which pgvector lacks, and for more than 16,000 numbers.
const char* vector_type(const IndexSpace& space);

/// Makes the tables where there are none, whoever else is doing the same. Returns the space of the
/// index that is there now. Throws: IoError, also where pgvector cannot be had.
IndexSpace ensure_tables(PgConnection& connection, const IndexSpace& space);

/// Throws: NotFound if the database has no index; IoError for one of another version.
IndexSpace read_space(PgConnection& connection);

std::optional<std::string> read_state(PgConnection& connection, const char* key);
void write_state(PgConnection& connection, const char* key, const std::string& value);

}  // namespace openclip
