#include "tasks/curate/rules.h"

#include <algorithm>

namespace openclip {

int64_t count_characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

std::string broken_plain_rule(const CurateRules& rules, const CurateRow& row) {
  const int64_t shorter = std::min(row.width, row.height);
  const int64_t longer = std::max(row.width, row.height);
  const int64_t characters = count_characters(row.caption);
  if (row.bytes < rules.min_bytes) return "bytes";
  if (shorter < rules.min_side) return "side";
  if (rules.max_aspect > 0 &&
      static_cast<double>(longer) > rules.max_aspect * static_cast<double>(shorter))
    return "aspect";
  if (characters < rules.min_caption) return "caption_short";
  if (rules.max_caption > 0 && characters > rules.max_caption) return "caption_long";
  if (row.watermark && *row.watermark > rules.max_watermark) return "watermark";
  return {};
}

std::string broken_model_rule(const CurateRules& rules, const CurateRow& row) {
  if (row.similarity && *row.similarity < rules.min_similarity) return "similarity";
  if (row.aesthetic && *row.aesthetic < rules.min_aesthetic) return "aesthetic";
  if (row.unsafe && *row.unsafe > rules.max_unsafe) return "unsafe";
  if (row.contaminated && *row.contaminated >= rules.contaminated) return "contaminated";
  if (row.duplicate && *row.duplicate >= rules.duplicate) return "duplicate";
  return {};
}

}  // namespace openclip
