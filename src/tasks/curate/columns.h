// The columns that are written for every pair. Rank 5.
#pragma once

#include "io/json.h"
#include "tasks/curate/rules.h"

namespace openclip {

/// {"key", "kept", "reason", "caption", "width", "height", "bytes", "similarity", "aesthetic",
/// "punsafe", "pwatermark", "duplicate_of", …}: LAION's names where it has them; absent numbers are
/// left out.
OrderedJson row_to_json(const CurateRow& row);

/// The reverse, as far as summaries and reports need. Throws: ParseError.
CurateRow row_from_json(const std::string& source, const Json& json);

}  // namespace openclip
