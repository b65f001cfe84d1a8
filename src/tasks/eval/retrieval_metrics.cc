#include "tasks/eval/retrieval_metrics.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "tensor/linear.h"

namespace openclip {
namespace {

constexpr int64_t kRetrievalQueriesAtOnce = 512;

// rank_best(query, scores of all items) for every query, scores computed a block at a time.
template <class Fn>
void for_each_query(const Context& context, std::span<const float> queries,
                    std::span<const float> items, int64_t dim, const Fn& fn) {
  const int64_t n = static_cast<int64_t>(items.size()) / dim;
  const int64_t m = static_cast<int64_t>(queries.size()) / dim;
  if (n == 0 || m == 0) return;
  const Linear packed(context, items, {}, {dim, n});
  std::vector<float> scores(static_cast<size_t>(std::min(kRetrievalQueriesAtOnce, m) * n));
  for (int64_t begin = 0; begin < m; begin += kRetrievalQueriesAtOnce) {
    const int64_t count = std::min(kRetrievalQueriesAtOnce, m - begin);
    linear(context, {queries.data() + begin * dim, count, dim}, packed, {scores.data(), count, n});
    parallel_for(context.threads(), static_cast<size_t>(count), 16,
                 [&](size_t first, size_t last, int) {
                   for (size_t i = first; i < last; ++i)
                     fn(begin + static_cast<int64_t>(i),
                        std::span<const float>(scores).subspan(i * n, static_cast<size_t>(n)));
                 });
  }
}

}  // namespace

RetrievalRanks retrieval_ranks(const Context& context, std::span<const float> images,
                               std::span<const float> texts, int64_t dim,
                               std::span<const int64_t> image_of_text) {
  check_arg(dim > 0 && images.size() % dim == 0 && texts.size() == image_of_text.size() * dim,
            "[retrieval_ranks] {} picture and {} text numbers of dim {} for {} texts",
            images.size(), texts.size(), dim, image_of_text.size());
  const int64_t n = static_cast<int64_t>(images.size()) / dim;
  std::vector<std::vector<size_t>> texts_of(static_cast<size_t>(n));
  for (size_t text = 0; text < image_of_text.size(); ++text) {
    const int64_t image = image_of_text[text];
    check_arg(image >= 0 && image < n, "[retrieval_ranks] text {} belongs to picture {} of {}",
              text, image, n);
    texts_of[image].push_back(text);
  }
  RetrievalRanks ranks;
  ranks.of_text.resize(image_of_text.size());
  ranks.of_image.assign(static_cast<size_t>(n), -1);
  for_each_query(context, texts, images, dim, [&](int64_t text, std::span<const float> scores) {
    ranks.of_text[text] = rank_of(scores, static_cast<size_t>(image_of_text[text]));
  });
  for_each_query(context, images, texts, dim, [&](int64_t image, std::span<const float> scores) {
    if (texts_of[image].empty()) return;
    // The own text that stands first: the one with the highest score, the earliest of those.
    const size_t best =
        *std::max_element(texts_of[image].begin(), texts_of[image].end(),
                          [&](size_t a, size_t b) { return scores[a] < scores[b]; });
    ranks.of_image[image] = rank_of(scores, best);
  });
  return ranks;
}

Estimate recall_at(std::span<const int64_t> ranks, int64_t k) {
  int64_t hits = 0, n = 0;
  for (const int64_t rank : ranks) {
    n += rank >= 0;
    hits += rank >= 0 && rank < k;
  }
  return proportion(hits, n);
}

}  // namespace openclip
