#include "tasks/curate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "tasks/curate/columns.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr int kBins = 48;
constexpr int kWidth = 560, kHeight = 150;  // of a histogram, in CSS pixels

constexpr const char* kCurateHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Curated pairs</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
table { border-collapse: collapse; } td, th { padding: .25rem 1rem .25rem 0; border-bottom: 1px solid #8884; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } text { font-size: 11px; fill: currentColor; opacity: .7; }
.kept { fill: #1f9d61; } .out { fill: #c9553d; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; vertical-align: -1px; }
</style>
</head>
<body>
)";

// A number of each pair, split into those kept and those left out.
struct Distribution {
  std::vector<double> kept, out;
  void add(double value, bool is_kept) { (is_kept ? kept : out).push_back(value); }
};

std::string bars(const std::vector<int>& heights, const std::vector<int>& below, int most,
                 const char* style) {
  std::string svg;
  const double step = static_cast<double>(kWidth) / kBins;
  for (int i = 0; i < kBins; ++i) {
    if (heights[i] == 0) continue;
    const double height = static_cast<double>(kHeight) * heights[i] / most;
    const double base = static_cast<double>(kHeight) * below[i] / most;
    svg += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", style,
        i * step + 0.5, kHeight - base - height, step - 1, height);
  }
  return svg;
}

std::string histogram(const std::string& title, const Distribution& values) {
  double low = INFINITY, high = -INFINITY;
  for (const auto* list : {&values.kept, &values.out})
    for (const double value : *list) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!(low <= high)) return {};
  if (low == high) high = low + 1;
  std::vector<int> kept(kBins), out(kBins);
  const auto bin = [&](double value) {
    return std::min(kBins - 1, static_cast<int>((value - low) / (high - low) * kBins));
  };
  for (const double value : values.kept) ++kept[bin(value)];
  for (const double value : values.out) ++out[bin(value)];
  int most = 1;
  for (int i = 0; i < kBins; ++i) most = std::max(most, kept[i] + out[i]);
  return fmt::format(
      "<h2>{}</h2>\n<svg viewBox=\"0 -4 {} {}\" role=\"img\" aria-label=\"histogram of {}\">{}{}"
      "<text x=\"0\" y=\"{}\">{:.4g}</text><text x=\"{}\" y=\"{}\" "
      "text-anchor=\"end\">{:.4g}</text>"
      "</svg>\n",
      title, kWidth, kHeight + 22, title, bars(kept, std::vector<int>(kBins), most, "kept"),
      bars(out, kept, most, "out"), kHeight + 15, low, kWidth, kHeight + 15, high);
}

struct Totals {
  int64_t pairs = 0, kept = 0;
  double similarity = 0;  // sum over the kept
  std::map<std::string, int64_t> left_out;
  std::map<std::string, Distribution> numbers;

  void add(const CurateRow& row) {
    const bool is_kept = row.reason.empty();
    ++pairs;
    if (is_kept)
      ++kept;
    else
      ++left_out[row.reason];
    if (is_kept) similarity += row.similarity.value_or(0);
    const auto note = [&](const char* name, const std::optional<double>& value) {
      if (value) numbers[name].add(*value, is_kept);
    };
    note("similarity of picture and caption", row.similarity);
    note("aesthetic score", row.aesthetic);
    note("unsafe", row.unsafe);
    note("watermark", row.watermark);
    note("nearest kept picture", row.duplicate);
    note("nearest test picture", row.contaminated);
    if (row.width > 0) note("shorter side in pixels", std::min(row.width, row.height));
    note("characters of the caption", static_cast<double>(count_characters(row.caption)));
  }
};

std::string page(const Totals& totals) {
  std::string html = kCurateHead;
  html += fmt::format(
      "<h1>{} of {} pairs kept</h1>\n<p><span class=\"key\" style=\"background:#1f9d61\"></span> "
      "kept "
      "&nbsp; <span class=\"key\" style=\"background:#c9553d\"></span> left out</p>\n<table>"
      "<tr><th>left out because of</th><th>pairs</th><th>share</th></tr>\n",
      totals.kept, totals.pairs);
  for (const auto& [reason, count] : totals.left_out)
    html += fmt::format(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{:.2f} %"
        "</td></tr>\n",
        reason, count, 100.0 * static_cast<double>(count) / static_cast<double>(totals.pairs));
  html += "</table>\n";
  for (const auto& [name, values] : totals.numbers) html += histogram(name, values);
  return html + "</body>\n</html>\n";
}

}  // namespace

OrderedJson write_curate_report(const std::string& out) {
  Totals totals;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(out) / "columns"))
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files)
    for (const std::string& line : read_lines(file))
      if (!line.empty()) totals.add(row_from_json(file, parse_json(file, line)));
  OrderedJson summary = {
      {"pairs", totals.pairs}, {"kept", totals.kept}, {"left_out", OrderedJson::object()}};
  for (const auto& [reason, count] : totals.left_out) summary["left_out"][reason] = count;
  if (totals.kept > 0)
    summary["mean_similarity_kept"] = totals.similarity / static_cast<double>(totals.kept);
  write_file_atomic((fs::path(out) / "summary.json").string(), summary.dump(1) + "\n");
  write_file_atomic((fs::path(out) / "report.html").string(), page(totals));
  return summary;
}

}  // namespace openclip
