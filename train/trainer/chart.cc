#include "trainer/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace openclip::train {
namespace {

constexpr double kWidth = 560, kHeight = 260, kLeft = 62, kRight = 14, kTop = 14, kBottom = 40;
constexpr size_t kMaxPoints = 1500;  // of a drawn line
constexpr const char* kColours[] = {"#2563eb", "#dc2626", "#059669", "#d97706",
                                    "#7c3aed", "#0891b2", "#be185d", "#4b5563"};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void widen() {
    if (low == high) {
      const double by = low == 0 ? 1 : 0.1 * std::abs(low);
      low -= by;
      high += by;
    }
  }
};

// A round step that divides the range into about five.
double tick_step(const Range& range) {
  const double raw = (range.high - range.low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0})
    if (factor * power >= raw) return factor * power;
  return raw;
}

std::string label(double value) {
  if (std::abs(value) < 1e-12) return "0";
  if (std::abs(value) >= 1e5 || std::abs(value) < 1e-3) return fmt::format("{:.0e}", value);
  return fmt::format("{:.4g}", value);
}

class Plot {
 public:
  explicit Plot(const std::vector<Curve>& curves) {
    for (const Curve& curve : curves) {
      for (const auto& [x, y] : curve.points) {
        x_.add(x);
        y_.add(y);
      }
    }
    x_.widen();
    y_.widen();
  }

  std::string axes(const std::string& x_name) const {
    std::string svg;
    const double bottom = kHeight - kBottom, right = kWidth - kRight;
    for (double y = std::ceil(y_.low / tick_step(y_)) * tick_step(y_); y <= y_.high;
         y += tick_step(y_))
      svg += fmt::format(
          "<line class='grid' x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}'/>"
          "<text class='tick' x='{3}' y='{4:.1f}' text-anchor='end'>{5}</text>\n",
          kLeft, right, py(y), kLeft - 6, py(y) + 4, label(y));
    for (double x = std::ceil(x_.low / tick_step(x_)) * tick_step(x_); x <= x_.high;
         x += tick_step(x_))
      svg += fmt::format("<text class='tick' x='{:.1f}' y='{}' text-anchor='middle'>{}</text>\n",
                         px(x), bottom + 16, label(x));
    svg += fmt::format("<line class='axis' x1='{0}' x2='{1}' y1='{2}' y2='{2}'/>\n", kLeft, right,
                       bottom);
    return svg + fmt::format("<text class='tick' x='{}' y='{}' text-anchor='end'>{}</text>\n",
                             right, kHeight - 6, escape_html(x_name));
  }

  std::string curve(const Curve& curve, const char* colour) const {
    const auto smooth = averaged(curve.points);
    if (smooth.size() == curve.points.size()) return line(curve.points, colour, 1.6, 1);
    return line(curve.points, colour, 1, 0.25) + line(smooth, colour, 1.8, 1);
  }

 private:
  using Points = std::vector<std::pair<double, double>>;

  double px(double x) const {
    return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
  }
  double py(double y) const {
    return kHeight - kBottom - (y - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }

  // Short curves stay as they are.
  static Points averaged(const Points& points) {
    const size_t window = points.size() / 50;
    if (window < 2) return points;
    Points result;
    double sum = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      sum += points[i].second;
      if (i >= window) sum -= points[i - window].second;
      if (i + 1 >= window) result.emplace_back(points[i].first, sum / static_cast<double>(window));
    }
    return result;
  }

  std::string line(const Points& points, const char* colour, double width, double opacity) const {
    const size_t step = std::max<size_t>(1, points.size() / kMaxPoints);
    std::string path;
    for (size_t i = 0; i < points.size(); i += step)
      path += fmt::format("{:.1f},{:.1f} ", px(points[i].first), py(points[i].second));
    if (points.size() == 1)
      return fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='3' fill='{}'/>\n", px(points[0].first),
                         py(points[0].second), colour);
    return fmt::format(
        "<polyline fill='none' stroke='{}' stroke-width='{}' stroke-opacity='{}' points='{}'/>\n",
        colour, width, opacity, path);
  }

  Range x_, y_;
};

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string line_chart(const std::string& title, const std::string& x_name,
                       const std::vector<Curve>& curves) {
  const Plot plot(curves);
  std::string body = plot.axes(x_name), legend;
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* colour = kColours[i % std::size(kColours)];
    body += plot.curve(curves[i], colour);
    legend += fmt::format("<span><i style='background:{}'></i>{} <b>{}</b></span>\n", colour,
                          escape_html(curves[i].name), label(curves[i].points.back().second));
  }
  return fmt::format(
      "<figure><figcaption>{}</figcaption><svg viewBox='0 0 {} {}' role='img' aria-label='{}'>\n{}"
      "</svg><div class='legend'>{}</div></figure>\n",
      escape_html(title), kWidth, kHeight, escape_html(title), body, legend);
}

}  // namespace openclip::train
