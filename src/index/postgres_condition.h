// Conditions as PostgreSQL understands them. Rank 4.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "index/condition.h"
#include "index/postgres.h"

namespace openclip {

/// " AND (…)" for each condition, on columns of openclip_items; appends its parameters. The same
/// items fit as with sqlite_conditions.
std::string postgres_conditions(std::span<const Condition> conditions,
                                std::vector<PgParameter>& parameters);

}  // namespace openclip
