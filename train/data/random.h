// Random numbers that are a pure function of a key, so that a sample's augmentation does not depend
// on which worker makes it, or when.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <vector>

namespace openclip::train {

/// A SplitMix64 stream that starts at a hash of `key`, e.g. {seed, epoch, position, purpose}.
class Random {
 public:
  explicit Random(std::initializer_list<uint64_t> key) {
    for (const uint64_t part : key) state_ = mix(state_ ^ mix(part + kGolden));
  }

  uint64_t next() { return mix(state_ += kGolden); }

  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// In [0, count); count > 0. The bias of the remainder, at most count / 2^64, does not matter.
  uint64_t below(uint64_t count) { return next() % count; }

  bool chance(double probability) { return uniform() < probability; }

  /// Mean 0, standard deviation 1 (Box-Muller).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  /// An index, drawn with probability proportional to its weight.
  size_t choose(std::initializer_list<double> weights) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    double left = uniform() * sum;
    size_t i = 0;
    for (const double weight : weights) {
      if (left < weight || i + 1 == weights.size()) return i;
      left -= weight;
      ++i;
    }
    return 0;
  }

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;

  static constexpr uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  uint64_t state_ = 0;
};

}  // namespace openclip::train
