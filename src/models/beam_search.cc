#include "models/beam_search.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {

BeamSearch::BeamSearch(const GenerationOptions& options, int64_t beams)
    : options_(options),
      beams_(static_cast<size_t>(beams), {options.start_id}),
      beam_scores_(static_cast<size_t>(beams), -1e9f) {
  beam_scores_[0] = 0;  // all are alike at first; only one may go on in several ways
}

// Keeps the `most` best; of equal ones the earliest goes first.
void BeamSearch::add(std::vector<Hypothesis>& hypotheses, size_t most, Hypothesis hypothesis) {
  const auto worst = [&] {
    return std::min_element(hypotheses.begin(), hypotheses.end(),
                            [](const auto& a, const auto& b) { return a.score < b.score; });
  };
  if (hypotheses.size() >= most && !(hypothesis.score > worst()->score)) return;
  hypotheses.push_back(std::move(hypothesis));
  if (hypotheses.size() > most) hypotheses.erase(worst());
}

std::vector<int64_t> BeamSearch::advance(std::vector<std::vector<float>> scores) {
  const size_t size = beams_.size();
  const auto length = static_cast<double>(beams_[0].size() + 1);
  for (size_t i = 0; i < size; ++i) {
    process_scores(scores[i], beams_[i], options_);
    for (float& score : scores[i]) score += beam_scores_[i];
  }
  const std::vector<Continuation> best = best_continuations(scores, 2 * size);
  std::vector<int64_t> parents;
  std::vector<std::vector<int32_t>> next;
  std::vector<float> next_scores;
  for (size_t rank = 0; rank < best.size() && next.size() < size; ++rank) {
    const Continuation& way = best[rank];
    std::vector<int32_t> ids = beams_[static_cast<size_t>(way.beam)];
    if (way.token == options_.end_id) {
      if (rank < size) add(complete_, size, {way.score / length, std::move(ids)});
      continue;
    }
    ids.push_back(way.token);
    next.push_back(std::move(ids));
    next_scores.push_back(way.score);
    parents.push_back(way.beam);
  }
  if (next.size() < size) throw Internal("[beam_search] too few words to go on with");
  beams_ = std::move(next);
  beam_scores_ = std::move(next_scores);
  const auto worst = [&] {
    return std::min_element(complete_.begin(), complete_.end(),
                            [](const auto& a, const auto& b) { return a.score < b.score; })
        ->score;
  };
  enough_ = complete_.size() >= size && worst() >= best[0].score / length;
  done_ = enough_ || beams_[0].size() >= static_cast<size_t>(options_.seq_len);
  return parents;
}

std::vector<int32_t> BeamSearch::best() const {
  std::vector<Hypothesis> all = complete_;
  if (!enough_)
    for (size_t i = 0; i < beams_.size(); ++i)
      add(all, beams_.size(), {beam_scores_[i] / static_cast<double>(beams_[i].size()), beams_[i]});
  const auto found = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.score <= b.score;  // of equal ones the last
  });
  std::vector<int32_t> ids = found->ids;
  if (ids.size() < static_cast<size_t>(options_.seq_len)) ids.push_back(options_.end_id);
  return ids;
}

}  // namespace openclip
