// The two passes of the antialiased filters. Each input row is used at once: it is added to the
// output rows that it belongs to, of which only those that still wait for input are held. So the
// picture between the passes never exists as a whole, and memory does not grow with the input.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/convert.h"
#include "image/pixel_filter.h"
#include "image/resize_filter.h"
#include "image/resize_kernels.h"
#include "kernels/resample.h"

namespace openclip {
namespace {

constexpr int64_t kTableEntries = 16 << 20;  // weights held at a time; extreme shapes take turns

// 8-bit samples: fixed point, rounded by adding one half before the shift.
struct Fixed8 {
  using Sample = uint8_t;
  using Weight = int32_t;
  using Sum = int32_t;
  static constexpr Sum kStart = 1 << (kWeightBits - 1);
  static Sample finish(Sum sum) {
    return static_cast<Sample>(std::clamp(sum >> kWeightBits, 0, 255));
  }
  static void add_row(const Sample* in, Weight weight, size_t count, Sum* sums) {
    kernels::add_weighted(in, weight, count, sums);
  }
  static void finish_row(const Sum* sums, size_t count, Sample* out) {
    kernels::finish_sums(sums, count, out);
  }
};

// 16-bit samples: sums in double.
struct Real16 {
  using Sample = uint16_t;
  using Weight = double;
  using Sum = double;
  static constexpr Sum kStart = 0.0;
  static Sample finish(Sum sum) {
    return static_cast<Sample>(std::clamp(std::floor(sum + 0.5), 0.0, 65535.0));
  }
  static void add_row(const Sample* in, Weight weight, size_t count, Sum* sums) {
    for (size_t i = 0; i < count; ++i) sums[i] += in[i] * weight;
  }
  static void finish_row(const Sum* sums, size_t count, Sample* out) {
    for (size_t i = 0; i < count; ++i) out[i] = finish(sums[i]);
  }
};

// The order of the passes matters, as samples are rounded between them. Up to Pillow 12 rows were
// always filtered first; Pillow 13 filters columns first where the height shrinks by more than
// twice what the width does (observed; see tools/goldens/image.py).
bool columns_first(const ResizeTask& task) {
  const int64_t shrink_x = static_cast<int64_t>(task.image.width) - task.width;
  const int64_t shrink_y = static_cast<int64_t>(task.image.height) - task.height;
  return shrink_y > 0 && shrink_y > 2 * shrink_x;
}

template <class Traits, int kChannels>
class TwoPass {
  using Sample = typename Traits::Sample;
  using Weight = typename Traits::Weight;
  using Sum = typename Traits::Sum;
  // Three and four 8-bit channels have a kernel for the rows; its table is the larger one.
  static constexpr bool kPixelKernel = sizeof(Sample) == 1 && kChannels >= 3;
  static constexpr int64_t kKernelEntries = 1 << 20;

 public:
  TwoPass(const ResizeTask& task, bool premultiplied)
      : task_(task),
        window_(task.window),
        premultiplied_(premultiplied),
        filter_x_(task.image.width, task.box.left, task.box.right, task.width, task.interpolation),
        filter_y_(task.image.height, task.box.top, task.box.bottom, task.height,
                  task.interpolation),
        pass_x_(task.width != task.image.width || task.box.left != 0 ||
                task.box.right != task.width),
        pass_y_(task.height != task.image.height || task.box.top != 0 ||
                task.box.bottom != task.height),
        columns_first_(pass_x_ && pass_y_ && columns_first(task)),
        first_column_(pass_x_ ? filter_x_.taps(window_.left).first : window_.left),
        end_column_(pass_x_ ? filter_x_.taps(window_.left + window_.width - 1).end()
                            : window_.left + window_.width) {
    if (premultiplied_) premultiplied_row_.resize(samples(end_column_ - first_column_));
    between_.resize(samples(columns_first_ ? end_column_ - first_column_ : window_.width));
  }

  Image run() {
    Image out = make_image(task_.image.mode, window_.width, window_.height);
    if (pass_y_) {
      const int step = block_size(filter_y_);
      for (int y = 0; y < window_.height; y += step) {
        filter_y(y, std::min(y + step, window_.height), out);
      }
    } else {
      for (int y = 0; y < window_.height; ++y) {
        std::memcpy(out.row(y), filter_x(input_row(window_.top + y)), out.row_bytes());
      }
    }
    if (premultiplied_) {
      for (int y = 0; y < out.height; ++y) unpremultiply_row(out.row(y), out.width, kChannels);
    }
    return out;
  }

 private:
  static size_t samples(int pixels) { return static_cast<size_t>(pixels) * kChannels; }
  static int block_size(const AxisFilter& filter) {
    return static_cast<int>(std::max<int64_t>(1, kTableEntries / filter.max_taps()));
  }

  // The columns [first_column_, end_column_) of an input row.
  const Sample* input_row(int y) {
    // Rows of 16-bit samples start at even places of an aligned vector.
    const auto* row = reinterpret_cast<const Sample*>(task_.image.row(y)) + samples(first_column_);
    if constexpr (sizeof(Sample) == 1) {
      if (premultiplied_) {
        std::copy_n(row, premultiplied_row_.size(), premultiplied_row_.data());
        premultiply_row(premultiplied_row_.data(), end_column_ - first_column_, kChannels);
        return premultiplied_row_.data();
      }
    }
    return row;
  }

  // The window's columns of a row that holds [first_column_, end_column_).
  const Sample* filter_x(const Sample* in) {
    if (!pass_x_) return in;
    filter_x(in, between_.data());
    return between_.data();
  }

  void filter_x(const Sample* in, Sample* out) {
    const int step = block_size(filter_x_);
    for (int x = 0; x < window_.width; x += step) {
      if (!table_x_ || step < window_.width) {
        table_x_.emplace(filter_x_, window_.left + x,
                         window_.left + std::min(x + step, window_.width));
        if constexpr (kPixelKernel) {
          if (step >= window_.width && std::ssize(table_x_->weights) <= kKernelEntries)
            pixel_filter_.prepare(*table_x_, first_column_, kChannels);
        }
      }
      filter_row(in, *table_x_, out + samples(x));
    }
  }

  void filter_row(const Sample* in, const WeightTable<Weight>& table, Sample* out) {
    if constexpr (kPixelKernel)
      if (pixel_filter_.ready()) return pixel_filter_.run(in, end_column_ - first_column_, out);
    const Weight* weights = table.weights.data();
    for (const Taps& taps : table.taps) {
      const Sample* pixel = in + samples(taps.first - first_column_);
      Sum sums[kChannels];
      for (int c = 0; c < kChannels; ++c) sums[c] = Traits::kStart;
      for (int i = 0; i < taps.count; ++i, pixel += kChannels) {
        for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weights[i];
      }
      for (int c = 0; c < kChannels; ++c) out[c] = Traits::finish(sums[c]);
      out += kChannels;
      weights += table.stride;
    }
  }

  // Rows [begin, end) of the window. A row is open from its first input row to its last.
  void filter_y(int begin, int end, Image& out) {
    const WeightTable<Weight> table(filter_y_, window_.top + begin, window_.top + end);
    const auto taps = [&](int y) { return table.taps[static_cast<size_t>(y - begin)]; };
    const int slots = most_open(table);
    const size_t row_samples = between_.size();
    std::vector<Sum> sums(slots * row_samples);
    const auto sum = [&](int y) { return sums.data() + (y - begin) % slots * row_samples; };

    int open = begin, next = begin;  // open rows: [open, next)
    for (int in = taps(begin).first; in < taps(end - 1).end(); ++in) {
      const Sample* row = input_row(in);
      if (!columns_first_) row = filter_x(row);
      for (; next < end && taps(next).first <= in; ++next) {
        std::fill_n(sum(next), row_samples, Traits::kStart);
      }
      for (int y = open; y < next; ++y) {
        if (in >= taps(y).end()) continue;
        Traits::add_row(row, table.row(window_.top + y)[in - taps(y).first], row_samples, sum(y));
      }
      for (; open < next && taps(open).end() <= in + 1; ++open) finish_row(sum(open), open, out);
    }
  }

  static int most_open(const WeightTable<Weight>& table) {
    size_t most = 1;
    for (size_t open = 0, next = 0; next < table.taps.size(); ++next) {
      while (table.taps[open].end() <= table.taps[next].first) ++open;
      most = std::max(most, next - open + 1);
    }
    return static_cast<int>(most);
  }

  void finish_row(const Sum* sum, int y, Image& out) {
    auto* row = reinterpret_cast<Sample*>(out.row(y));
    Sample* finished = columns_first_ ? between_.data() : row;
    Traits::finish_row(sum, between_.size(), finished);
    if (columns_first_) filter_x(finished, row);
  }

  const ResizeTask& task_;
  const Window window_;
  const bool premultiplied_;
  const AxisFilter filter_x_, filter_y_;
  const bool pass_x_, pass_y_;  // Pillow leaves out a pass that changes nothing
  const bool columns_first_;
  const int first_column_, end_column_;  // the input columns that the window needs
  std::optional<WeightTable<Weight>> table_x_;
  RowPixelFilter pixel_filter_;
  std::vector<uint8_t> premultiplied_row_;
  std::vector<Sample> between_;  // one row between the passes
};

}  // namespace

Image resize_filtered(const ResizeTask& task) {
  switch (task.image.mode) {
    case PixelMode::i16:
      return TwoPass<Real16, 1>(task, false).run();
    case PixelMode::la:
      return TwoPass<Fixed8, 2>(task, true).run();
    case PixelMode::rgb:
      return TwoPass<Fixed8, 3>(task, false).run();
    case PixelMode::rgba:
      return TwoPass<Fixed8, 4>(task, true).run();
    case PixelMode::cmyk:
      return TwoPass<Fixed8, 4>(task, false).run();
    default:
      return TwoPass<Fixed8, 1>(task, false).run();
  }
}

}  // namespace openclip
