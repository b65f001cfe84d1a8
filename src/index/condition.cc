#include "index/condition.h"

#include <utility>

#include "base/error.h"

namespace openclip {
namespace {

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Json parse_value(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  if (!text.empty() && (text.front() == '"' || text.front() == '-' ||
                        (text.front() >= '0' && text.front() <= '9'))) {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_number() || value.is_string()) return value;
  }
  return std::string(text);
}

}  // namespace

Condition parse_condition(std::string_view text) {
  using Op = Condition::Op;
  // Longer operators first, so that "<=" is not read as "<".
  static constexpr std::pair<std::string_view, Op> kOps[] = {
      {"!=", Op::unequal}, {"<=", Op::less_equal}, {">=", Op::greater_equal}, {"=", Op::equal},
      {"<", Op::less},     {">", Op::greater},     {"~", Op::contains}};
  const size_t at = text.find_first_of("=!<>~");
  if (at != std::string_view::npos) {
    for (const auto& [sign, op] : kOps) {
      if (!text.substr(at).starts_with(sign)) continue;
      const std::string_view field = trim(text.substr(0, at));
      if (field.empty() || field.find('"') != std::string_view::npos) break;
      Condition condition{std::string(field), op, parse_value(trim(text.substr(at + sign.size())))};
      if (op == Op::contains && !condition.value.is_string())
        condition.value = condition.value.dump();
      return condition;
    }
  }
  throw InvalidArgument(
      fmt::format("condition '{}' is not FIELD OP VALUE with OP one of = != < <= > >= ~", text));
}

const char* condition_sign(Condition::Op op) {
  switch (op) {
    case Condition::Op::less:
      return "<";
    case Condition::Op::less_equal:
      return "<=";
    case Condition::Op::greater:
      return ">";
    case Condition::Op::greater_equal:
      return ">=";
    default:
      return "=";
  }
}

bool is_item_column(std::string_view field) {
  return field == "id" || field == "path" || field == "title";
}

}  // namespace openclip
