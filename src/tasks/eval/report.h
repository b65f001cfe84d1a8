// Results of several models on several data sets as one page. Rank 5.
#pragma once

#include <span>
#include <string>

#include "tasks/eval/result.h"

namespace openclip {

/// An HTML page that needs nothing else: for each metric a table of models by data sets, the best of
/// each data set marked, with the 95 % interval, and bars of the same figures. Text from the results
/// is escaped.
std::string eval_report(const std::string& title, std::span<const EvalResult> results);

}  // namespace openclip
