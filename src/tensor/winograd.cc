#include "tensor/winograd.h"

#include <algorithm>

#include "base/parallel.h"

namespace openclip {
namespace {

constexpr int64_t kParts = kernels::kWinogradParts;

// Tiles at a time: their parts stay in the last cache (6 MB of inputs and outputs), but each
// product has enough rows for its weights to be read seldom.
int64_t tiles_at_a_time(const WinogradWeights& weights) {
  constexpr int64_t kFloats = 3 << 19, kLeastTiles = 192;
  return std::max(kLeastTiles, kFloats / (kParts * (weights.in() + weights.out())));
}

}  // namespace

WinogradWeights::WinogradWeights(const Context& context, std::span<const double> weight,
                                 std::span<const double> bias, int64_t in, int64_t out)
    : bias_(static_cast<size_t>(out)) {
  const auto pairs = static_cast<size_t>(in * out);
  check_arg(weight.size() == 9 * pairs,
            "[winograd_conv] weight must have {} elements (out {} x in {} x 3 x 3), got {}",
            9 * pairs, out, in, weight.size());
  check_arg(bias.size() == bias_.size(), "[winograd_conv] bias must have {} elements (out), got {}",
            out, bias.size());
  std::copy(bias.begin(), bias.end(), bias_.data());
  Buffer turned(kParts * pairs);  // [part, out, in]
  parallel_for(context.threads(), pairs, 4096, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      float u[kParts];
      kernels::winograd_weights(&weight[9 * i], u);
      for (size_t part = 0; part < kParts; ++part) turned.data()[part * pairs + i] = u[part];
    }
  });
  for (size_t part = 0; part < parts_.size(); ++part)
    parts_[part] =
        Linear(context, std::span<const float>(turned.data() + part * pairs, pairs), {}, {in, out});
}

void winograd_conv(const Context& context, Workspace& workspace, const Images& x,
                   const WinogradWeights& weights, UnaryOp op, const Images& out) {
  check_arg(x.channels() == weights.in() && out.channels() == weights.out(),
            "[winograd_conv] weights are for {} to {} channels, got {} to {}", weights.in(),
            weights.out(), x.channels(), out.channels());
  const int64_t pixels = x.count * x.height * x.width;
  check_arg(out.count == x.count && out.height == x.height && out.width == x.width &&
                x.pixels.rows == pixels && out.pixels.rows == pixels &&
                x.pixels.stride == x.channels() && out.pixels.stride == out.channels() &&
                (pixels == 0 || out.pixels.data != x.pixels.data),
            "[winograd_conv] out must be dense, of the size of x and in another place");
  const auto size_of = [&](int64_t channels) {
    return kernels::WinogradMap{static_cast<size_t>(x.height), static_cast<size_t>(x.width),
                                static_cast<size_t>(channels)};
  };
  const kernels::WinogradMap in_map = size_of(x.channels()), out_map = size_of(out.channels());
  const auto tiles = x.count * static_cast<int64_t>(in_map.tiles_y() * in_map.tiles_x());
  const int64_t most = std::min(tiles, tiles_at_a_time(weights));
  const int64_t chunks = most == 0 ? 0 : (tiles + most - 1) / most;
  // Threads share out the parts; where they are more, each product has several.
  const Context within(std::max<int>(1, context.threads() / static_cast<int>(kParts)));
  const Workspace::Frame frame(workspace);
  float* v = workspace.take_floats(kParts * most * x.channels());
  float* m = workspace.take_floats(kParts * most * out.channels());
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t first = tiles * chunk / chunks, count = tiles * (chunk + 1) / chunks - first;
    const auto v_part = static_cast<size_t>(count * x.channels());
    const auto m_part = static_cast<size_t>(count * out.channels());
    const auto first_tile = static_cast<size_t>(first), tile_count = static_cast<size_t>(count);
    parallel_for(context.threads(), tile_count, 8, [&](size_t begin, size_t end, int) {
      kernels::winograd_input(x.pixels.data, in_map, first_tile + begin, first_tile + end,
                              v + begin * in_map.channels, v_part);
    });
    parallel_for(context.threads(), kParts, 1, [&](size_t begin, size_t end, int) {
      for (size_t part = begin; part < end; ++part)
        linear(within, {v + part * v_part, count, x.channels()}, weights.part(part),
               {m + part * m_part, count, out.channels()});
    });
    parallel_for(context.threads(), tile_count, 8, [&](size_t begin, size_t end, int) {
      kernels::winograd_output(m + begin * out_map.channels, m_part, out_map, first_tile + begin,
                               first_tile + end, weights.bias(), op, out.pixels.data);
    });
  }
}

}  // namespace openclip
