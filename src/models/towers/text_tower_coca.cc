// What CoCa's text tower does beside CLIP's: a class token at the end, and one token after another.
#include <algorithm>
#include <cstring>

#include "models/towers/cls_layout.h"
#include "models/towers/text_tower.h"

namespace openclip {
namespace {

constexpr size_t kChunkTexts = 64;  // of up to 77 tokens; bounds memory

}  // namespace

void TextTower::encode_with_cls(const Context& context, Workspace& workspace,
                                std::span<const std::vector<int32_t>> ids, Matrix out) const {
  for (size_t begin = 0; begin < ids.size(); begin += kChunkTexts) {
    const size_t count = std::min(kChunkTexts, ids.size() - begin);
    std::vector<AttentionSpan> spans, cls_spans;
    std::vector<int64_t> places, cls_rows;
    std::vector<int32_t> tokens;
    for (size_t i = 0; i < count; ++i) {
      const std::vector<int32_t> text = padded(ids[begin + i]);
      const ClsLayout layout(text, config_.pad_id);
      const size_t first = places.size(), seen = layout.places.size();
      for (const int64_t place : layout.places) tokens.push_back(text[static_cast<size_t>(place)]);
      places.insert(places.end(), layout.places.begin(), layout.places.end());
      cls_rows.push_back(static_cast<int64_t>(places.size()));
      tokens.push_back(0);  // replaced by the class token
      places.push_back(config_.context_length);
      if (layout.cls_sees_itself) {
        spans.push_back({first, seen + 1, first, seen + 1});
        cls_spans.push_back({i, 1, first, seen + 1});
      } else {
        spans.push_back({first, seen, first, seen});
        spans.push_back({first + seen, 1, first, seen});
        cls_spans.push_back({i, 1, first, seen});
      }
    }
    const Workspace::Frame frame(workspace);
    const Matrix x = workspace.take(static_cast<int64_t>(tokens.size()), config_.width);
    const Matrix pooled = workspace.take(static_cast<int64_t>(count), config_.width);
    embed(context, tokens, x);
    for (const int64_t row : cls_rows)
      std::memcpy(x.row(row), cls_.data(), sizeof(float) * static_cast<size_t>(config_.width));
    for (int64_t i = 0; i < x.rows; ++i)
      kernels::add_rows(ConstMatrix(x.row_range(i, 1)),
                        positions_.matrix().row_range(places[static_cast<size_t>(i)], 1),
                        x.row_range(i, 1));
    blocks_.run_pooled(context, workspace, x, spans, cls_rows, cls_spans, pooled);
    finish(context, pooled,
           out.row_range(static_cast<int64_t>(begin), static_cast<int64_t>(count)));
  }
}

void TextTower::step(const Context& context, Workspace& workspace, const Step& step,
                     KeyValueCache& cache, Matrix x) const {
  embed(context, step.tokens, x);
  for (int64_t i = 0; i < x.rows; ++i)
    kernels::add_rows(ConstMatrix(x.row_range(i, 1)),
                      positions_.matrix().row_range(step.positions[static_cast<size_t>(i)], 1),
                      x.row_range(i, 1));
  for (int64_t block = 0; block < blocks_.block_count(); ++block)
    blocks_.step_block(context, workspace, block, x, step.sequences, step.visible, cache);
  cache.advance(step.sequences, step.visible);
}

}  // namespace openclip
