#include "trainer/html_report.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "io/json.h"
#include "trainer/chart.h"

namespace openclip::train {
namespace {

constexpr size_t kMaxBytes = size_t{256} << 20;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #111827; --pale: #6b7280; --line: #e5e7eb; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f3f4f6; --pale: #9ca3af; --line: #374151; --back: #111827; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.summary { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.summary div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem 1rem; }
.summary b { display: block; font-size: 1.25rem; }
.summary span, figcaption { color: var(--pale); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--line); } .axis { stroke: var(--pale); }
.tick { font-size: 11px; fill: var(--pale); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: 13px; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .4em; }
table { border-collapse: collapse; font-size: 13px; } td, th { padding: .2rem .8rem .2rem 0;
  text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
)";

// Columns by name. Steps that an interrupted run logged and its successor did again count once, as
// the successor saw them.
class Table {
 public:
  static Table read_csv(const std::string& path) {
    Table table;
    std::stringstream text(read_text_file(path, kMaxBytes));
    std::string line;
    std::getline(text, line);
    table.names_ = split(line);
    while (std::getline(text, line)) {
      const std::vector<std::string> cells = split(line);
      if (cells.size() != table.names_.size()) continue;  // cut off when a run was killed
      std::vector<double> values;
      for (const std::string& cell : cells) values.push_back(std::strtod(cell.c_str(), nullptr));
      table.rows_[values[0]] = std::move(values);
    }
    return table;
  }

  Curve curve(const std::string& column, const std::string& name) const {
    Curve curve{name, {}};
    const auto found = std::find(names_.begin(), names_.end(), column);
    if (found == names_.end()) return curve;
    for (const auto& [step, values] : rows_)
      curve.points.emplace_back(step, values[static_cast<size_t>(found - names_.begin())]);
    return curve;
  }

 private:
  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> cells;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    return cells;
  }

  std::vector<std::string> names_;
  std::map<double, std::vector<double>> rows_;
};

bool is_zero(const Curve& curve) {
  return std::all_of(curve.points.begin(), curve.points.end(),
                     [](const auto& point) { return point.second == 0; });
}

bool same(const Curve& a, const Curve& b) { return a.points == b.points; }

std::string loss_chart(const Table& table) {
  std::vector<Curve> curves = {table.curve("loss", "total")};
  for (const auto& [column, name] : {std::pair{"contrastive_loss", "contrastive"},
                                     {"ssl_loss", "views"},
                                     {"caption_loss", "captions"},
                                     {"distill_loss", "distillation"},
                                     {"concept_loss", "concept table"},
                                     {"align_loss", "alignment"},
                                     {"hog_loss", "shape"}}) {
    Curve curve = table.curve(column, name);
    if (!curve.points.empty() && !is_zero(curve) && !same(curve, curves[0]))
      curves.push_back(std::move(curve));
  }
  return line_chart("Loss", "step", curves);
}

// Curves of results.jsonl by metric.
std::map<std::string, Curve> evaluations(const std::string& path) {
  std::map<std::string, Curve> curves;
  if (!std::filesystem::exists(path)) return curves;
  std::map<double, Json> by_step;
  std::stringstream text(read_text_file(path, kMaxBytes));
  for (std::string line; std::getline(text, line);) {
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("step")) by_step[json.at("step")] = json;
  }
  for (const auto& [step, json] : by_step)
    for (const auto& [name, value] : json.items())
      if (value.is_number() && name != "step" && name != "epoch" && name != "num_samples") {
        curves[name].name = name;
        curves[name].points.emplace_back(json.at("epoch").get<double>(), value.get<double>());
      }
  return curves;
}

std::string evaluation_charts(const std::map<std::string, Curve>& curves) {
  const auto chart = [&](const char* title, const auto& belongs) {
    std::vector<Curve> chosen;
    for (const auto& [name, curve] : curves)
      if (belongs(name)) chosen.push_back(curve);
    return chosen.empty() ? std::string() : line_chart(title, "epoch", chosen);
  };
  const auto holds = [](const char* part) {
    return [part](const std::string& name) { return name.find(part) != std::string::npos; };
  };
  return chart("Zero-shot accuracy", holds("zeroshot")) + chart("Retrieval recall", holds("_R@")) +
         chart("Retrieval rank", holds("_rank")) + chart("Validation loss", holds("val_loss"));
}

std::string settings(const std::string& path) {
  std::string rows;
  std::stringstream text(read_text_file(path, kMaxBytes));
  for (std::string line; std::getline(text, line);) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    rows += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escape_html(line.substr(0, colon)),
                        escape_html(line.substr(colon + 2)));
  }
  return "<table>" + rows + "</table>";
}

std::string fact(const std::string& name, const std::string& value) {
  return fmt::format("<div><b>{}</b><span>{}</span></div>", value, escape_html(name));
}

std::string summary(const Table& table, const std::map<std::string, Curve>& evaluations) {
  const Curve loss = table.curve("loss", "loss");
  std::string facts = fact("steps", fmt::format("{:.0f}", loss.points.back().first)) +
                      fact("last loss", fmt::format("{:.4f}", loss.points.back().second));
  const Curve speed = table.curve("pairs_per_second", "");
  double sum = 0;
  for (const auto& [step, value] : speed.points) sum += value;
  facts += fact("pairs per second, mean",
                fmt::format("{:.1f}", sum / static_cast<double>(speed.points.size())));
  for (const auto& [name, curve] : evaluations)
    if (name.ends_with("top1") || name.ends_with("R@1"))
      facts += fact(name, fmt::format("{:.2f} %", 100 * curve.points.back().second));
  return "<div class='summary'>" + facts + "</div>";
}

}  // namespace

void write_html_report(const std::string& folder) {
  const Table table = Table::read_csv(folder + "/train.csv");
  if (table.curve("loss", "").points.empty()) return;  // resumed when everything was done
  const std::string name = std::filesystem::path(folder).filename();
  const std::map<std::string, Curve> results = evaluations(folder + "/results.jsonl");
  const auto one = [&](const char* title, const char* column) {
    return line_chart(title, "step", {table.curve(column, title)});
  };
  const std::string html = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'><title>{0}: training report</title>"
      "<style>{1}</style></head><body>\n<h1>{0}</h1>\n{2}\n"
      "<div class='charts'>\n{3}{4}{5}{6}{7}{8}</div>\n<h2>Settings</h2>\n{9}\n</body></html>\n",
      escape_html(name), kStyle, summary(table, results), loss_chart(table),
      evaluation_charts(results), one("Learning rate", "lr"),
      one("Scale of the similarities", "logit_scale"), one("Pairs per second", "pairs_per_second"),
      one("Seconds waiting for data, per step", "data_seconds"), settings(folder + "/params.txt"));
  write_file_atomic(folder + "/report.html", html);
}

}  // namespace openclip::train
