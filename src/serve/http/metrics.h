// Counters, gauges and histograms in Prometheus' text format. Rank 6.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);
  /// Appends the lines of `name` with `labels` ("" or `a="b"`).
  void write(const std::string& name, const std::string& labels, std::string* out) const;

 private:
  std::vector<double> bounds_;  // upper bounds, ascending; +Inf is implied
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// Seconds from 1 ms to 60 s, and powers of two up to 1024.
std::span<const double> duration_bounds();
std::span<const double> size_bounds();

/// All metrics of a server. A metric is made by its first use; references stay valid. `labels` are
/// written as in the format: `path="/v1/embeddings",status="200"`. Thread-safe.
class Metrics {
 public:
  Counter& counter(const std::string& name, const char* help, const std::string& labels = "");
  Histogram& histogram(const std::string& name, const char* help, std::span<const double> bounds,
                       const std::string& labels = "");
  /// Asked whenever the text is.
  void gauge(const std::string& name, const char* help, std::function<double()> value,
             const std::string& labels = "");

  /// Text format 0.0.4. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
  std::string text() const;

 private:
  struct Family {
    const char* help = "";
    const char* type = "";
    std::map<std::string, std::unique_ptr<Counter>> counters{};
    std::map<std::string, std::unique_ptr<Histogram>> histograms{};
    std::map<std::string, std::function<double()>> gauges{};
  };
  Family& family(const std::string& name, const char* help, const char* type);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

/// A label's value with quotes, backslashes and line breaks escaped.
std::string metric_label(std::string_view name, std::string_view value);

}  // namespace openclip
