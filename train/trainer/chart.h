// Line charts as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace openclip::train {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // (x, y), x ascending
};

/// An SVG figure with axes, a grid and a legend. Of noisy curves the points are drawn pale and
/// their moving average over 2 % of the length on top.
std::string line_chart(const std::string& title, const std::string& x_name,
                       const std::vector<Curve>& curves);

/// Text with &, <, > and quotes made safe for HTML.
std::string escape_html(const std::string& text);

}  // namespace openclip::train
