#include "tasks/curate/columns.h"

#include <array>
#include <utility>

namespace openclip {
namespace {

struct Column {
  const char* name;
  std::optional<double> CurateRow::*value;
};
constexpr std::array kNumbers = {
    Column{"similarity", &CurateRow::similarity},
    Column{"aesthetic", &CurateRow::aesthetic},
    Column{"punsafe", &CurateRow::unsafe},
    Column{"pwatermark", &CurateRow::watermark},
    Column{"near_duplicate", &CurateRow::duplicate},
    Column{"contaminated", &CurateRow::contaminated},
};

}  // namespace

OrderedJson row_to_json(const CurateRow& row) {
  OrderedJson json = {{"key", row.key},       {"kept", row.reason.empty()},
                      {"reason", row.reason}, {"caption", row.caption},
                      {"width", row.width},   {"height", row.height},
                      {"bytes", row.bytes}};
  for (const Column& column : kNumbers)
    if (const auto& value = row.*column.value) json[column.name] = *value;
  if (!row.duplicate_of.empty()) json["duplicate_of"] = row.duplicate_of;
  if (!row.tags.empty()) json["tags"] = row.tags;
  return json;
}

CurateRow row_from_json(const std::string& source, const Json& json) {
  CurateRow row;
  row.key = json_get<std::string>(source, json, "key");
  row.reason = json_get<std::string>(source, json, "reason");
  row.caption = json_get_or<std::string>(source, json, "caption", "");
  row.width = static_cast<int>(json_get_or<int64_t>(source, json, "width", 0));
  row.height = static_cast<int>(json_get_or<int64_t>(source, json, "height", 0));
  row.bytes = json_get_or<int64_t>(source, json, "bytes", 0);
  for (const Column& column : kNumbers)
    if (json_find(json, column.name) != nullptr)
      row.*column.value = json_get<double>(source, json, column.name);
  return row;
}

}  // namespace openclip
