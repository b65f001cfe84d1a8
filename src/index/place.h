// Where an index is: a folder, or a PostgreSQL database with pgvector. Rank 4.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

/// Whether the place is postgresql://… or postgres://…, which libpq reads: user, password, host,
/// port, database, and parameters like ?sslmode=require; several indices share a database by
/// ?options=-csearch_path%3DSCHEMA.
bool is_database(std::string_view place);

/// The place as it may be shown: without a password.
std::string place_name(std::string_view place);

/// A short name: "pictures" of shop/pictures.index/, "shop" of postgresql://host/shop?….
std::string place_title(std::string_view place);

}  // namespace openclip
