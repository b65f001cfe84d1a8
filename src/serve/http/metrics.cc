#include "serve/http/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace openclip {

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::write(const std::string& name, const std::string& labels, std::string* out) const {
  const std::string comma = labels.empty() ? "" : labels + ",";
  const std::string braces = labels.empty() ? "" : "{" + labels + "}";
  uint64_t total = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    const std::string bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
    *out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, comma, bound, total);
  }
  *out += fmt::format("{}_sum{} {}\n", name, braces, sum_.load(std::memory_order_relaxed));
  *out += fmt::format("{}_count{} {}\n", name, braces, total);
}

std::span<const double> duration_bounds() {
  static constexpr std::array kBounds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                         0.5,   1.0,   2.0,   5.0,  10.0, 30.0, 60.0};
  return kBounds;
}

std::span<const double> size_bounds() {
  static constexpr std::array kBounds = {1.0,  2.0,   4.0,   8.0,   16.0,  32.0,
                                         64.0, 128.0, 256.0, 512.0, 1024.0};
  return kBounds;
}

Metrics::Family& Metrics::family(const std::string& name, const char* help, const char* type) {
  Family& found = families_[name];
  found.help = help;
  found.type = type;
  return found;
}

Counter& Metrics::counter(const std::string& name, const char* help, const std::string& labels) {
  const std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "counter").counters[labels];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}

Histogram& Metrics::histogram(const std::string& name, const char* help,
                              std::span<const double> bounds, const std::string& labels) {
  const std::lock_guard lock(mutex_);
  auto& slot = family(name, help, "histogram").histograms[labels];
  if (!slot) slot = std::make_unique<Histogram>(bounds);
  return *slot;
}

void Metrics::gauge(const std::string& name, const char* help, std::function<double()> value,
                    const std::string& labels) {
  const std::lock_guard lock(mutex_);
  family(name, help, "gauge").gauges[labels] = std::move(value);
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    const auto place = [&name = name](const std::string& labels) {
      return labels.empty() ? name : name + "{" + labels + "}";
    };
    for (const auto& [labels, counter] : family.counters)
      out += fmt::format("{} {}\n", place(labels), counter->value());
    for (const auto& [labels, value] : family.gauges)
      out += fmt::format("{} {}\n", place(labels), value());
    for (const auto& [labels, histogram] : family.histograms) histogram->write(name, labels, &out);
  }
  return out;
}

std::string metric_label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace openclip
