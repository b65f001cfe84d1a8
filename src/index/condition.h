// Conditions on what is known of an item: "price < 20". Rank 4.
#pragma once

#include <string>
#include <string_view>

#include "io/json.h"

namespace openclip {

/// One comparison. `field` is id, path, title or a member of the item's fields; a field that is a
/// list holds the condition if one of its elements does.
struct Condition {
  enum class Op { equal, unequal, less, less_equal, greater, greater_equal, contains };
  std::string field;
  Op op = Op::equal;
  Json value;  // a number, bool or string
};

/// The sign that SQL has for it; of unequal "=", to be negated.
const char* condition_sign(Condition::Op op);

/// Whether the field is a column of its own: id, path, title.
bool is_item_column(std::string_view field);

/// "FIELD OP VALUE" with OP one of = != < <= > >= ~ (contains, case ignored). A value that reads as
/// a number, true or false is one, unless it stands in double quotes. Throws: InvalidArgument
/// saying what is missing.
Condition parse_condition(std::string_view text);

}  // namespace openclip
