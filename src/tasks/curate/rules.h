// Which picture-text pairs are worth keeping. Rank 5.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace openclip {

/// Limits of what is kept; the defaults keep everything. LAION-400M's: caption of 5 characters,
/// file of 5 KB, similarity 0.30 with ViT-B-32. LAION-5B's: 0.28 (English), 0.26 (others).
struct CurateRules {
  int64_t min_side = 0;        // pixels of the shorter side
  double max_aspect = 0;       // longer side / shorter side; 0 = any
  int64_t min_bytes = 0;       // of the picture's file
  int64_t min_caption = 0;     // characters
  int64_t max_caption = 0;     // characters; 0 = any
  double min_similarity = -2;  // cosine of picture and caption
  double min_aesthetic = -std::numeric_limits<double>::infinity();
  double max_unsafe = std::numeric_limits<double>::infinity();
  double max_watermark = std::numeric_limits<double>::infinity();  // of the column pwatermark
  double duplicate = 2;     // cosine from which a later picture is a copy of an earlier one
  double contaminated = 2;  // cosine from which a picture is one of the test set's
};

/// What is known of one pair. Numbers that were not asked for are absent.
struct CurateRow {
  std::string key;
  std::string caption;
  int width = 0, height = 0;
  int64_t bytes = 0;
  std::optional<double> similarity, aesthetic, unsafe, watermark;
  std::optional<double> duplicate, contaminated;  // the highest cosine to kept, to test pictures
  std::string duplicate_of;                       // SHARD/KEY of the picture that it copies
  std::vector<std::string> tags;                  // of zero-shot prompts, best first
  std::string reason;                             // why it is left out; empty = kept
};

/// The rule that the row breaks, of those that need no model: "no_picture" and "no_caption" are set
/// by who reads; here "bytes", "side", "aspect", "caption_short", "caption_long" and "watermark".
/// Empty if none.
std::string broken_plain_rule(const CurateRules& rules, const CurateRow& row);

/// As above, of those on the model's numbers: "similarity", "aesthetic", "unsafe", "contaminated",
/// "duplicate", in this order.
std::string broken_model_rule(const CurateRules& rules, const CurateRow& row);

/// Characters (code points) of UTF-8 text; damaged bytes count as one each.
int64_t count_characters(std::string_view utf8);

}  // namespace openclip
