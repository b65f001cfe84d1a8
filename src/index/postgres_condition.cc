#include "index/postgres_condition.h"

#include "base/error.h"

namespace openclip {
namespace {

using Op = Condition::Op;

// Of `v`, a JSON value, with parameter `number`. CASE keeps the server from casting a text to a
// number before it has looked at the type.
std::string comparison(const Condition& condition, size_t number) {
  if (condition.op == Op::contains)
    return fmt::format("position(lower(${}::text) IN lower(v #>> '{{}}')) > 0", number);
  const char* sign = condition_sign(condition.op);
  if (condition.value.is_string())
    return fmt::format(
        "CASE json_typeof(v) WHEN 'string' THEN (v #>> '{{}}') COLLATE \"C\" {} ${}::text "
        "ELSE false END",
        sign, number);
  return fmt::format(
      "CASE json_typeof(v) WHEN 'number' THEN (v #>> '{{}}')::numeric {0} ${1}::numeric "
      "WHEN 'boolean' THEN (v #>> '{{}}')::boolean::int {0} ${1}::numeric ELSE false END",
      sign, number);
}

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  return value.dump();
}

}  // namespace

std::string postgres_conditions(std::span<const Condition> conditions,
                                std::vector<PgParameter>& parameters) {
  std::string sql;
  for (const Condition& condition : conditions) {
    std::string values;
    if (is_item_column(condition.field)) {
      values = fmt::format("(SELECT to_json({}) AS v)", condition.field);
    } else {
      parameters.emplace_back(condition.field);
      // A list's elements, and a single value as the one element.
      values = fmt::format(
          "json_array_elements(CASE json_typeof(fields -> ${0}) WHEN 'array' THEN fields -> ${0} "
          "ELSE json_build_array(fields -> ${0}) END)",
          parameters.size());
    }
    parameters.emplace_back(value_text(condition.value));
    sql += fmt::format(" AND {}EXISTS (SELECT 1 FROM {} AS e(v) WHERE {})",
                       condition.op == Op::unequal ? "NOT " : "", values,
                       comparison(condition, parameters.size()));
  }
  return sql;
}

}  // namespace openclip
