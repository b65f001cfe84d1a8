// Conditions as SQLite understands them. Rank 4.
#pragma once

#include <span>
#include <string>

#include "index/condition.h"
#include "index/sqlite.h"

namespace openclip {

/// " AND (…)" for each condition, on columns of `items`, with two parameters each.
std::string sqlite_conditions(std::span<const Condition> conditions);

/// Binds the parameters, from number `first` on.
void bind_conditions(Statement& statement, std::span<const Condition> conditions, int first);

}  // namespace openclip
