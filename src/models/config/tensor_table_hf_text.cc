#include <fmt/format.h>

#include "models/config/tensor_table_parts.h"

namespace openclip::table {
namespace {

const Init kHfWeight = normal(0.02);  // transformers' initializer_range

void add_linear(Table& table, const std::string& name, int64_t out, int64_t in) {
  table.linear(name, out, in, kHfWeight, constant(0));
}

void add_layer(Table& table, const std::string& layer, const TextConfig& text) {
  const int64_t width = text.width;
  for (const char* part : {"query", "key", "value"})
    add_linear(table, fmt::format("{}.attention.self.{}", layer, part), width, width);
  add_linear(table, layer + ".attention.output.dense", width, width);
  table.layer_norm(layer + ".attention.output.LayerNorm", width);
  add_linear(table, layer + ".intermediate.dense", text.mlp_width, width);
  add_linear(table, layer + ".output.dense", width, text.mlp_width);
  table.layer_norm(layer + ".output.LayerNorm", width);
}

}  // namespace

void add_hf_text(Table& table, const ModelConfig& config) {
  const TextConfig& text = config.text;
  const int64_t width = text.width;
  const std::string embeddings = "transformer.embeddings.";
  table.add(embeddings + "word_embeddings.weight", {text.vocab_size, width}, kHfWeight);
  table.add(embeddings + "position_embeddings.weight", {text.hf->max_positions, width}, kHfWeight);
  table.add(embeddings + "token_type_embeddings.weight", {text.hf->token_types, width}, kHfWeight);
  table.layer_norm(embeddings + "LayerNorm", width);
  for (int i = 0; i < text.layers; ++i)
    add_layer(table, fmt::format("transformer.encoder.layer.{}", i), text);
  add_linear(table, "transformer.pooler.dense", width, width);
  // open_clip saves the pooler also where it does not use it, or not, depending on its version.
  if (text.hf->pooler != HfPooler::cls)
    for (size_t i = table.specs.size() - 2; i < table.specs.size(); ++i)
      table.specs[i].optional = true, table.specs[i].trainable = false;
  if (!text.has_projection) return;
  const int64_t hidden = text.hf->proj_hidden;
  if (hidden > 0) table.add("proj.0.weight", {hidden, width}, fan_in(width));
  const int64_t in = hidden > 0 ? hidden : width;
  table.add(hidden > 0 ? "proj.2.weight" : "proj.weight", {config.embed_dim, in}, fan_in(in));
}

}  // namespace openclip::table
