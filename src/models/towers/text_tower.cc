#include "models/towers/text_tower.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "models/towers/chunk.h"
#include "tensor/convert.h"

namespace openclip {
namespace {

std::string prefix_of(const ModelConfig& config) { return config.custom_text ? "text." : ""; }

TransformerConfig blocks_of(const ModelConfig& config) {
  const TextConfig& text = config.text;
  return {.prefix = prefix_of(config) + "transformer.resblocks.",
          .width = text.width,
          .heads = text.heads,
          .layers = text.layers,
          .mlp_width = text.mlp_width,
          .layer_scale = text.ls_init_value.has_value(),
          .causal = text.causal,
          .pooled = true,
          .activation = text.activation,
          .norm_eps = text.norm_eps};
}

std::optional<Linear> load_projection(const Context& context, const Weights& weights,
                                      const ModelConfig& config) {
  const std::string name = prefix_of(config) + "text_projection";
  if (!config.text.has_projection) return std::nullopt;
  if (config.text.projection_bias) return weights.linear(context, name);
  return weights.linear(
      context, Weights::LinearNames{.weight = name, .bias = "", .layout = Linear::Layout::in_out});
}

// Index of the token whose state becomes the feature, in a text padded to its full length.
int64_t pooled_index(const TextConfig& config, const std::vector<int32_t>& ids) {
  switch (config.pool) {
    case TextPool::argmax:  // x[arange, text.argmax(dim=-1)]
      return std::max_element(ids.begin(), ids.end()) - ids.begin();
    case TextPool::eos: {  // (text == eos_token_id).int().argmax(dim=-1): 0 where there is none
      const auto eos = std::find(ids.begin(), ids.end(), *config.eos_id);
      return eos == ids.end() ? 0 : eos - ids.begin();
    }
    case TextPool::last:
      return static_cast<int64_t>(ids.size()) - 1;
    case TextPool::first:
      return 0;
    case TextPool::none:
      break;
  }
  throw Unsupported("[text_tower] pool none gives no text feature");
}

// For each text of `order`, how many tokens it begins with as the one before it does.
template <class Sequences>
std::vector<size_t> shared_with_previous(const Sequences& texts, const std::vector<size_t>& order) {
  std::vector<size_t> shared(order.size(), 0);
  for (size_t i = 1; i < order.size(); ++i)
    shared[i] = shared_prefix(texts[order[i - 1]].ids, texts[order[i]].ids);
  return shared;
}

}  // namespace

TextTower::TextTower(const Context& context, const Weights& weights, const ModelConfig& config)
    : config_(config.text),
      embedding_(weights.held(prefix_of(config) + "token_embedding.weight")),
      positions_(weights.positions(context, prefix_of(config) + "positional_embedding")),
      blocks_(context, weights, blocks_of(config)),
      ln_final_(NormWeights::load(context, weights, prefix_of(config) + "ln_final",
                                  config.text.norm_eps)),
      projection_(load_projection(context, weights, config)) {
  if (config_.embed_cls) cls_ = weights.tensor(context, prefix_of(config) + "cls_emb");
}

std::vector<int32_t> TextTower::padded(const std::vector<int32_t>& ids) const {
  const auto length = static_cast<size_t>(config_.context_length);
  check_arg(!ids.empty() && ids.size() <= length,
            "[encode_text] a text must have 1 to {} tokens, got {}", length, ids.size());
  for (const int32_t id : ids)
    check_arg(id >= 0 && id < config_.vocab_size,
              "[encode_text] token ids must be from 0 to {}, got {}", config_.vocab_size - 1, id);
  std::vector<int32_t> all = ids;
  all.resize(length, config_.pad_id);
  return all;
}

TextTower::Sequence TextTower::prepare(const std::vector<int32_t>& ids) const {
  Sequence sequence{padded(ids), 0};
  sequence.pooled = pooled_index(config_, sequence.ids);
  if (config_.causal) sequence.ids.resize(static_cast<size_t>(sequence.pooled) + 1);
  return sequence;
}

void TextTower::encode(const Context& context, std::span<const std::vector<int32_t>> ids,
                       Matrix out) const {
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  if (config_.embed_cls) return encode_with_cls(context, *workspace, ids, out);
  std::vector<Sequence> texts;
  texts.reserve(ids.size());
  for (const std::vector<int32_t>& text : ids) texts.push_back(prepare(text));
  if (config_.causal)
    encode_causal(context, *workspace, texts, out);
  else
    encode_sequences(context, *workspace, texts, out);
}

// Sorted, texts that begin alike are neighbours. Each chunk makes a tree of its own: what two
// chunks share, one text's beginning, is computed twice. Chunks are of equal size, as a small last
// one would be slower.
void TextTower::encode_causal(const Context& context, Workspace& workspace,
                              std::span<const Sequence> texts, Matrix out) const {
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return texts[a].ids < texts[b].ids; });
  const std::vector<size_t> shared = shared_with_previous(texts, order);
  int64_t all_tokens = 0;
  for (size_t i = 0; i < order.size(); ++i)
    all_tokens += static_cast<int64_t>(texts[order[i]].ids.size() - shared[i]);
  const int64_t chunk_tokens = equal_part(all_tokens, text_tokens(context));
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::vector<std::span<const int32_t>> distinct;
    std::vector<int64_t> row_of;  // of order[begin], order[begin + 1], …
    int64_t tokens = 0;
    for (; end < order.size() && tokens < chunk_tokens; ++end) {
      const std::vector<int32_t>& ids = texts[order[end]].ids;
      if (distinct.empty() || shared[end] < ids.size()) distinct.emplace_back(ids);
      row_of.push_back(static_cast<int64_t>(distinct.size()) - 1);
      tokens += static_cast<int64_t>(ids.size() - shared[end]);
    }
    const Workspace::Frame frame(workspace);
    const Matrix rows = workspace.take(static_cast<int64_t>(distinct.size()), out.cols);
    encode_tree(context, workspace, TokenTree(distinct), rows);
    for (size_t i = begin; i < end; ++i)
      std::memcpy(out.row(static_cast<int64_t>(order[i])), rows.row(row_of[i - begin]),
                  static_cast<size_t>(out.cols) * sizeof(float));
  }
}

void TextTower::encode_tree(const Context& context, Workspace& workspace, const TokenTree& tree,
                            Matrix out) const {
  const Workspace::Frame frame(workspace);
  const Matrix x = workspace.take(static_cast<int64_t>(tree.ids.size()), config_.width);
  const Matrix pooled = workspace.take(out.rows, config_.width);
  embed(context, tree.ids, x);
  for (int64_t i = 0; i < x.rows; ++i)
    kernels::add_rows(ConstMatrix(x.row_range(i, 1)),
                      positions_.matrix().row_range(tree.positions[static_cast<size_t>(i)], 1),
                      x.row_range(i, 1));
  blocks_.run_tree(context, workspace, x, tree, pooled);
  finish(context, pooled, out);
}

void TextTower::encode_sequences(const Context& context, Workspace& workspace,
                                 std::span<const Sequence> texts, Matrix out) const {
  for (size_t begin = 0, end = 0; begin < texts.size(); begin = end) {
    int64_t tokens = 0;
    while (end < texts.size() && (end == begin || tokens < kChunkTokens))
      tokens += static_cast<int64_t>(texts[end++].ids.size());
    const Workspace::Frame frame(workspace);
    encode_chunk(context, workspace, texts.subspan(begin, end - begin),
                 out.row_range(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin)));
  }
}

void TextTower::encode_tokens(const Context& context, std::span<const std::vector<int32_t>> ids,
                              const TokenStates& states, Matrix out) const {
  const auto length = static_cast<size_t>(config_.context_length);
  const int64_t blocks = states.block_count(config_.layers);
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  const size_t chunk = std::max<size_t>(1, static_cast<size_t>(kChunkTokens) / length);
  for (size_t begin = 0; begin < ids.size(); begin += chunk) {
    std::vector<AttentionSpan> spans;
    const Matrix x =
        out.row_range(static_cast<int64_t>(begin * length),
                      static_cast<int64_t>(std::min(chunk, ids.size() - begin) * length));
    for (size_t i = begin; i < std::min(begin + chunk, ids.size()); ++i) {
      const size_t row = (i - begin) * length;
      const Matrix rows = x.row_range(static_cast<int64_t>(row), static_cast<int64_t>(length));
      embed(context, padded(ids[i]), rows);
      kernels::add_rows(ConstMatrix(rows), positions_.matrix(), rows);
      spans.push_back({row, length, row, length});
    }
    blocks_.run(context, *workspace, x, spans, blocks);
    if (states.final_norm) ln_final_.apply(context, x, x);
  }
}

void TextTower::embed(const Context& context, std::span<const int32_t> ids, Matrix x) const {
  const auto width = static_cast<size_t>(config_.width);
  const TensorView& table = embedding_.view;
  const size_t row_bytes = width * dtype_size(table.dtype);
  for (size_t i = 0; i < ids.size(); ++i)
    to_float(context, table.dtype,
             table.bytes.subspan(static_cast<size_t>(ids[i]) * row_bytes, row_bytes),
             {x.row(static_cast<int64_t>(i)), width});
}

void TextTower::encode_chunk(const Context& context, Workspace& workspace,
                             std::span<const Sequence> texts, Matrix out) const {
  std::vector<AttentionSpan> spans;
  std::vector<int64_t> pooled_rows;
  size_t tokens = 0;
  for (const Sequence& text : texts) {
    const size_t count = text.ids.size();
    spans.push_back({tokens, count, tokens, count});
    pooled_rows.push_back(static_cast<int64_t>(tokens) + text.pooled);
    tokens += count;
  }
  const Matrix x = workspace.take(static_cast<int64_t>(tokens), config_.width);
  const Matrix pooled = workspace.take(out.rows, config_.width);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Matrix rows = x.row_range(static_cast<int64_t>(spans[i].query_begin),
                                    static_cast<int64_t>(spans[i].query_count));
    embed(context, texts[i].ids, rows);
    kernels::add_rows(ConstMatrix(rows), positions_.matrix(), rows);
  }
  blocks_.run_pooled(context, workspace, x, spans, pooled_rows, pooled);
  finish(context, pooled, out);
}

void TextTower::finish(const Context& context, Matrix pooled, Matrix out) const {
  if (!projection_) return ln_final_.apply(context, pooled, out);
  ln_final_.apply(context, pooled, pooled);
  linear(context, pooled, *projection_, out);
}

}  // namespace openclip
