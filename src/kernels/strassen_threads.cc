// How threads share out a product by Strassen's algorithm: first the sums of weights, then the
// rows.
#include <algorithm>
#include <deque>

#include "kernels/isa.h"
#include "kernels/share_work.h"
#include "kernels/simd/strassen_part.h"
#include "kernels/strassen.h"

namespace openclip::kernels {
namespace {

// Fewer rows take longer than in order: the factors of B cost the same for any number.
// Measured: docs/kernels.md.
constexpr size_t kLeastRows = 512;

// Pairs of panels in one step of these.
constexpr size_t kLeastPairs = 2, kMostPairs = 8;

// fn(i, steps) for all of `count` steps, shared out over `threads`.
template <class Work>
void share(size_t threads, size_t count, const StepSize& size, const Work& work) {
  std::deque<StealQueue> queues;
  for (size_t i = 0; i < threads; ++i)
    queues.emplace_back(count * i / threads, count * (i + 1) / threads);
  for_parts(threads, [&](size_t own) {
    work_through(queues, own, size,
                 [&](size_t, const StealQueue::Range& steps) { work(steps.begin, steps.end); });
  });
}

}  // namespace

bool strassen_pays(size_t m, std::span<const MatmulTarget> targets) {
  current_isa();
  return m >= kLeastRows && std::all_of(targets.begin(), targets.end(),
                                        [](const MatmulTarget& t) { return strassen_fits(t.b); });
}

void strassen_matmul(int threads, size_t m, const RowSource& a,
                     std::span<const MatmulTarget> targets) {
  const auto workers = static_cast<size_t>(std::max(threads, 1));
  size_t floats = 0;
  for (const MatmulTarget& target : targets)
    floats += strassen_pairs(target.b) * strassen_pair_floats(target.b);
  thread_local Scratch of_weights;
  float* const factors = of_weights.floats(floats);
  float* of_target = factors;
  for (const MatmulTarget& target : targets) {
    const size_t pairs = strassen_pairs(target.b);
    share(workers, pairs, {kLeastPairs, kMostPairs},
          [&](size_t begin, size_t end) { strassen_fill_pairs(target.b, begin, end, of_target); });
    of_target += pairs * strassen_pair_floats(target.b);
  }
  const size_t k = targets.front().b.k;
  const size_t groups = ceil_div(m, strassen_group_rows()), most = strassen_block_groups(k);
  share(workers, groups, {std::max<size_t>(1, most / 2), most}, [&](size_t begin, size_t end) {
    thread_local Scratch of_block;
    strassen_groups(a, m, targets, factors, begin, end, of_block.floats(strassen_block_floats(k)));
  });
}

}  // namespace openclip::kernels
