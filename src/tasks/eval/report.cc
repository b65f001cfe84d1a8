#include "tasks/eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace openclip {
namespace {

constexpr const char* kEvalHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
:root { color-scheme: light dark; --line: #8884; --bar: #3b6fd4; --best: #1f9d61; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .35rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; opacity: .65; }
td.best { font-weight: 600; background: var(--soft); }
td .track { display: block; width: 8rem; height: .5rem; margin-left: auto; background: var(--soft); position: relative; }
td .fill { position: absolute; inset: 0 auto 0 0; background: var(--bar); }
td.best .fill { background: var(--best); }
td .range { position: absolute; top: .2rem; height: .1rem; background: currentColor; }
</style>
</head>
<body>
<h1>@TITLE@</h1>
<p>Values in per cent; the small line and the mark on each bar are 95 % confidence intervals. The best of
each column is marked; where intervals overlap, the difference may be chance.</p>
)";

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

std::string model_of(const EvalResult& result) {
  return result.pretrained.empty() ? result.model : result.model + " " + result.pretrained;
}

std::string dataset_of(const EvalResult& result) {
  return result.language == "en" ? result.dataset : result.dataset + " (" + result.language + ")";
}

// All values of one metric, by model and data set.
struct Sheet {
  std::string metric;
  std::vector<std::string> models, datasets;
  std::vector<std::pair<std::pair<std::string, std::string>, Estimate>> cells;

  const Estimate* find(const std::string& model, const std::string& dataset) const {
    for (const auto& [place, estimate] : cells)
      if (place == std::pair(model, dataset)) return &estimate;
    return nullptr;
  }
  double best(const std::string& dataset) const {
    double best = -1;
    for (const auto& [place, estimate] : cells)
      if (place.second == dataset) best = std::max(best, estimate.value);
    return best;
  }
};

Sheet sheet_of(const std::string& metric, std::span<const EvalResult> results) {
  Sheet sheet;
  sheet.metric = metric;
  for (const EvalResult& result : results)
    for (const auto& [name, estimate] : result.metrics) {
      if (name != metric || std::isnan(estimate.value)) continue;
      add_once(sheet.models, model_of(result));
      add_once(sheet.datasets, dataset_of(result));
      sheet.cells.push_back({{model_of(result), dataset_of(result)}, estimate});
    }
  return sheet;
}

std::string cell(const Estimate* estimate, double best) {
  if (estimate == nullptr) return "<td>–</td>";
  const bool has_range = !std::isnan(estimate->low);
  return fmt::format(
      "<td{}>{:.1f}{}<span class=\"track\"><span class=\"fill\" style=\"width:{:.1f}%\"></span>{}"
      "</span></td>",
      estimate->value == best ? " class=\"best\"" : "", 100 * estimate->value,
      has_range
          ? fmt::format("<small>{:.1f} – {:.1f}</small>", 100 * estimate->low, 100 * estimate->high)
          : "",
      100 * estimate->value,
      has_range ? fmt::format("<span class=\"range\" style=\"left:{:.1f}%;width:{:.1f}%\"></span>",
                              100 * estimate->low, 100 * (estimate->high - estimate->low))
                : "");
}

std::string table(const Sheet& sheet) {
  std::string html = "<div class=\"scroll\"><table>\n<tr><th>model</th>";
  for (const std::string& dataset : sheet.datasets) html += "<th>" + escape(dataset) + "</th>";
  html += "</tr>\n";
  for (const std::string& model : sheet.models) {
    html += "<tr><td>" + escape(model) + "</td>";
    for (const std::string& dataset : sheet.datasets)
      html += cell(sheet.find(model, dataset), sheet.best(dataset));
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string eval_report(const std::string& title, std::span<const EvalResult> results) {
  std::string html = kEvalHead;
  replace_all(html, "@TITLE@", escape(title));
  std::vector<std::string> metrics;
  for (const EvalResult& result : results)
    for (const auto& metric : result.metrics)
      if (metric.first != "c") add_once(metrics, metric.first);
  for (const std::string& metric : metrics) {
    const Sheet sheet = sheet_of(metric, results);
    if (sheet.cells.empty()) continue;
    html += "<h2>" + escape(metric) + "</h2>\n" + table(sheet);
  }
  return html + "</body>\n</html>\n";
}

}  // namespace openclip
