#include "index/condition_sql.h"

#include "base/error.h"

namespace openclip {
namespace {

using Op = Condition::Op;

// `value` is the SQL of what is compared with parameter ?2.
std::string comparison(const Condition& condition, const std::string& value) {
  if (condition.op == Op::contains)
    return fmt::format("instr(lower(CAST({} AS TEXT)), lower(?)) > 0", value);
  // SQLite sorts all texts behind all numbers; a text is not "above 20".
  const char* kind = condition.value.is_string() ? "= 'text'" : "IN ('integer', 'real')";
  return fmt::format("{0} {1} ? AND typeof({0}) {2}", value, condition_sign(condition.op), kind);
}

}  // namespace

std::string sqlite_conditions(std::span<const Condition> conditions) {
  std::string sql;
  for (const Condition& condition : conditions) {
    const bool negated = condition.op == Op::unequal;
    // json_each gives a list's elements, and a single value as the one element.
    const std::string test =
        is_item_column(condition.field)
            ? fmt::format("? IS NOT NULL AND {}", comparison(condition, "items." + condition.field))
            : fmt::format("EXISTS (SELECT 1 FROM json_each(items.fields, ?) AS field WHERE {})",
                          comparison(condition, "field.value"));
    sql += fmt::format(" AND {}({})", negated ? "NOT " : "", test);
  }
  return sql;
}

void bind_conditions(Statement& statement, std::span<const Condition> conditions, int first) {
  for (const Condition& condition : conditions) {
    statement.bind(first++, fmt::format("$.\"{}\"", condition.field));
    const Json& value = condition.value;
    if (value.is_string())
      statement.bind(first++, value.get<std::string>());
    else if (value.is_boolean() || value.is_number_integer())
      statement.bind(first++,
                     value.is_boolean() ? int64_t{value.get<bool>()} : value.get<int64_t>());
    else
      statement.bind(first++, value.get<double>());
  }
}

}  // namespace openclip
