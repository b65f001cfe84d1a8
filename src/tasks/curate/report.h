// What a curated folder holds, as JSON and as a page. Rank 5.
#pragma once

#include <string>

#include "io/json.h"

namespace openclip {

/// Reads OUT/columns and writes OUT/summary.json and OUT/report.html: counts by reason, and
/// histograms of the numbers, kept beside left out. Returns the summary: {"pairs", "kept",
/// "left_out": {reason: n}, "mean_similarity_kept"}. Throws: IoError; ParseError of damaged
/// columns.
OrderedJson write_curate_report(const std::string& out);

}  // namespace openclip
