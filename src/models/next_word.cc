#include "models/next_word.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

namespace openclip {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

float score_of(std::span<const float> scores, int32_t word) {
  return scores[static_cast<size_t>(word)];
}

// Words with at least this score, in falling order of their scores.
std::vector<int32_t> ranked(std::span<const float> scores, float least) {
  std::vector<int32_t> order;
  for (size_t word = 0; word < scores.size(); ++word)
    if (scores[word] >= least) order.push_back(static_cast<int32_t>(word));
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return score_of(scores, a) > score_of(scores, b); });
  return order;
}

float kth_largest(std::span<const float> scores, int k) {
  std::vector<float> copy(scores.begin(), scores.end());
  const auto kth = copy.begin() + std::min<int64_t>(k, static_cast<int64_t>(copy.size())) - 1;
  std::nth_element(copy.begin(), kth, copy.end(), std::greater<>());
  return *kth;
}

// exp((score - best) / temperature) of `words`, the best one first.
std::vector<double> weights_of(std::span<const float> scores, std::span<const int32_t> words,
                               double temperature) {
  const double best = score_of(scores, words[0]);
  std::vector<double> weights;
  for (const int32_t word : words)
    weights.push_back(std::exp((score_of(scores, word) - best) / temperature));
  return weights;
}

// From the least likely word on, words are left out while they have at most 1 - top_p together.
size_t count_top_p(std::span<const float> scores, std::span<const int32_t> order, double top_p) {
  const std::vector<double> weights = weights_of(scores, order, 1);
  const double all = std::accumulate(weights.rbegin(), weights.rend(), 0.0);
  double below = 0;
  for (size_t kept = order.size(); kept > 1; --kept) {
    below += weights[kept - 1] / all;
    if (below > 1 - top_p) return kept;
  }
  return 1;
}

}  // namespace

void process_scores(std::span<float> scores, std::span<const int32_t> ids,
                    const GenerationOptions& options) {
  if (ids.size() < static_cast<size_t>(options.min_seq_len))
    scores[static_cast<size_t>(options.end_id)] = kNever;
  if (options.repetition_penalty == 1) return;
  const auto penalty = static_cast<float>(options.repetition_penalty);
  for (const int32_t id : std::set<int32_t>(ids.begin(), ids.end())) {
    float& score = scores[static_cast<size_t>(id)];
    score = score < 0 ? score * penalty : score / penalty;
  }
}

int32_t sample_word(std::span<const float> scores, const GenerationOptions& options,
                    std::mt19937_64& random) {
  const bool is_top_k = options.type == GenerationType::top_k;
  std::vector<int32_t> words =
      ranked(scores, is_top_k ? kth_largest(scores, options.top_k) : kNever);
  if (!is_top_k) words.resize(count_top_p(scores, words, options.top_p));
  const std::vector<double> weights = weights_of(scores, words, options.temperature);
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  // 53 bits of one draw: the same on every system, which std::uniform_real_distribution is not.
  double left = std::ldexp(static_cast<double>(random() >> 11), -53) * all;
  for (size_t i = 0; i < words.size(); ++i) {
    left -= weights[i];
    if (left < 0) return words[i];
  }
  return words[0];
}

std::vector<Continuation> best_continuations(const std::vector<std::vector<float>>& scores,
                                             size_t count) {
  std::vector<Continuation> best;
  for (size_t beam = 0; beam < scores.size(); ++beam)
    for (size_t token = 0; token < scores[beam].size(); ++token) {
      const float score = scores[beam][token];
      if (best.size() == count && !(score > best.back().score)) continue;
      const auto at = std::upper_bound(
          best.begin(), best.end(), score,
          [](float value, const Continuation& other) { return value > other.score; });
      best.insert(at, {score, static_cast<int64_t>(beam), static_cast<int32_t>(token)});
      if (best.size() > count) best.pop_back();
    }
  return best;
}

}  // namespace openclip
