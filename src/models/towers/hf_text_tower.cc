#include "models/towers/hf_text_tower.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "models/towers/chunk.h"
#include "tensor/convert.h"
#include "tensor/split.h"

namespace openclip {
namespace {

const std::string kPrefix = "text.transformer.";

// open_clip's projections have no bias.
Linear load_projection(const Context& context, const Weights& weights, const std::string& name) {
  return weights.linear(context, Weights::LinearNames{.weight = "text." + name, .bias = ""});
}

}  // namespace

HfTextTower::HfTextTower(const Context& context, const Weights& weights, const ModelConfig& config)
    : config_(config.text),
      embedding_(weights.held(kPrefix + "embeddings.word_embeddings.weight")),
      positions_(weights.tensor(context, kPrefix + "embeddings.position_embeddings.weight")),
      embedding_norm_(NormWeights::load(context, weights, kPrefix + "embeddings.LayerNorm",
                                        config.text.norm_eps)) {
  const Tensor types = weights.tensor(context, kPrefix + "embeddings.token_type_embeddings.weight");
  for (int64_t i = 0; i < positions_.elements(); ++i)
    positions_.data()[i] += types.data()[i % config_.width];
  for (int i = 0; i < config_.layers; ++i) {
    const std::string name = fmt::format("{}encoder.layer.{}.", kPrefix, i);
    const auto linear = [&](const char* part) {
      return weights.block_linear(context, name + part);
    };
    const auto norm = [&](const char* part) {
      return NormWeights::load(context, weights, name + part, config_.norm_eps);
    };
    layers_.push_back({linear("attention.self.query"), linear("attention.self.key"),
                       linear("attention.self.value"), linear("attention.output.dense"),
                       linear("intermediate.dense"), linear("output.dense"),
                       norm("attention.output.LayerNorm"), norm("output.LayerNorm")});
  }
  if (config_.hf->pooler == HfPooler::cls)
    pooler_ = weights.linear(context, kPrefix + "pooler.dense");
  if (!config_.has_projection) return;
  const bool mlp = config_.hf->proj_hidden > 0;
  if (mlp) proj_hidden_ = load_projection(context, weights, "proj.0.weight");
  proj_ = load_projection(context, weights, mlp ? "proj.2.weight" : "proj.weight");
}

std::vector<int32_t> HfTextTower::real_tokens(const std::vector<int32_t>& ids) const {
  const auto length = static_cast<size_t>(config_.context_length);
  check_arg(!ids.empty() && ids.size() <= length,
            "[encode_text] a text must have 1 to {} tokens, got {}", length, ids.size());
  for (const int32_t id : ids)
    check_arg(id >= 0 && id < config_.vocab_size,
              "[encode_text] token ids must be from 0 to {}, got {}", config_.vocab_size - 1, id);
  check_arg(config_.hf->pooler == HfPooler::mean || ids.front() != config_.pad_id,
            "[encode_text] the first token is the pooled one and must not be padding");
  std::vector<int32_t> real;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(real),
               [&](int32_t id) { return id != config_.pad_id; });
  check_arg(!real.empty(), "[encode_text] a text must not be all padding (id {})", config_.pad_id);
  return real;
}

void HfTextTower::encode(const Context& context, std::span<const std::vector<int32_t>> ids,
                         Matrix out) const {
  std::vector<std::vector<int32_t>> texts;
  texts.reserve(ids.size());
  for (const std::vector<int32_t>& text : ids) texts.push_back(real_tokens(text));
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  for (size_t begin = 0; begin < texts.size();) {
    int64_t tokens = 0;
    size_t end = begin;
    while (end < texts.size() && (end == begin || tokens < kChunkTokens))
      tokens += static_cast<int64_t>(texts[end++].size());
    const Workspace::Frame frame(*workspace);
    encode_chunk(context, *workspace, std::span(texts).subspan(begin, end - begin),
                 out.row_range(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin)));
    begin = end;
  }
}

void HfTextTower::embed(const Context& context, std::span<const int32_t> ids, Matrix x) const {
  const auto width = static_cast<size_t>(config_.width);
  const TensorView& table = embedding_.view;
  const size_t row_bytes = width * dtype_size(table.dtype);
  for (size_t i = 0; i < ids.size(); ++i)
    to_float(context, table.dtype,
             table.bytes.subspan(static_cast<size_t>(ids[i]) * row_bytes, row_bytes),
             {x.row(static_cast<int64_t>(i)), width});
  // Positions count the real tokens, from the row after that of padding.
  const auto count = static_cast<int64_t>(ids.size());
  kernels::add_rows(ConstMatrix(x), positions_.matrix().row_range(config_.pad_id + 1, count), x);
}

// x = norm(x + dense(attention(x))); x = norm(x + dense(gelu(dense(x)))).
void HfTextTower::run_layer(const Context& context, Workspace& workspace, const Layer& layer,
                            Matrix x, std::span<const AttentionSpan> spans) const {
  const Workspace::Frame frame(workspace);
  const Matrix q = workspace.take(x.rows, x.cols), k = workspace.take(x.rows, x.cols);
  const Matrix v = workspace.take(x.rows, x.cols), attended = workspace.take(x.rows, x.cols);
  const Matrix wide = workspace.take(x.rows, config_.mlp_width);
  linear(context, x, {{layer.q, q}, {layer.k, k}, {layer.v, v}});
  attention(context, workspace, q, k, v, spans, {.heads = config_.heads}, attended);
  linear(context, attended, layer.attention_out, x, {.residual = x});
  layer.attention_norm.apply(context, x, x);
  linear(context, x, layer.intermediate, wide, {.op = unary_op(config_.activation)});
  linear(context, wide, layer.out, x, {.residual = x});
  layer.norm.apply(context, x, x);
}

void HfTextTower::pool(const Context& context, Workspace& workspace, ConstMatrix x,
                       std::span<const AttentionSpan> spans, Matrix pooled) const {
  const bool mean = config_.hf->pooler == HfPooler::mean;
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto begin = static_cast<int64_t>(spans[i].query_begin);
    const auto count = static_cast<int64_t>(mean ? spans[i].query_count : 1);
    kernels::mean_of_rows(x.row_range(begin, count), pooled.row(static_cast<int64_t>(i)));
  }
  if (!pooler_) return;
  const Workspace::Frame frame(workspace);
  const Matrix dense = workspace.take(pooled.rows, pooled.cols);
  linear(context, pooled, *pooler_, dense);
  for (int64_t i = 0; i < pooled.rows * pooled.cols; ++i) pooled.data[i] = std::tanh(dense.data[i]);
}

void HfTextTower::encode_chunk(const Context& context, Workspace& workspace,
                               std::span<const std::vector<int32_t>> texts, Matrix out) const {
  std::vector<AttentionSpan> spans;
  size_t tokens = 0;
  for (const std::vector<int32_t>& text : texts) {
    spans.push_back({tokens, text.size(), tokens, text.size()});
    tokens += text.size();
  }
  const Matrix x = workspace.take(static_cast<int64_t>(tokens), config_.width);
  const Matrix pooled = workspace.take(out.rows, config_.width);
  for (size_t i = 0; i < texts.size(); ++i)
    embed(context, texts[i],
          x.row_range(static_cast<int64_t>(spans[i].query_begin),
                      static_cast<int64_t>(spans[i].query_count)));
  embedding_norm_.apply(context, x, x);
  for (const Layer& layer : layers_) run_layer(context, workspace, layer, x, spans);
  pool(context, workspace, x, spans, pooled);
  if (!proj_) {
    for (int64_t i = 0; i < out.rows; ++i)
      std::memcpy(out.row(i), pooled.row(i), sizeof(float) * static_cast<size_t>(out.cols));
    return;
  }
  if (!proj_hidden_) return linear(context, pooled, *proj_, out);
  const Matrix hidden = workspace.take(out.rows, proj_hidden_->out());
  linear(context, pooled, *proj_hidden_, hidden, {.op = UnaryOp::gelu});
  linear(context, hidden, *proj_, out);
}

}  // namespace openclip
