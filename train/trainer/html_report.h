// A finished run as one page that needs nothing else.
#pragma once

#include <string>

namespace openclip::train {

/// Reads train.csv, results.jsonl and params.txt of LOGS/NAME and writes report.html beside them:
/// curves of the losses, learning rate, scale, speed and evaluations, and the settings.
/// Throws: IoError, ParseError.
void write_html_report(const std::string& folder);

}  // namespace openclip::train
