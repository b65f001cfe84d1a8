#include "models/config/coca.h"

#include "base/error.h"

namespace openclip {

void read_attentional_pool(ConfigReader& reader, int embed_dim, VisionConfig& vision) {
  const int queries = reader.integer("attn_pooler_queries", 256);
  vision.attn_pool_heads = reader.integer("attn_pooler_heads", 8);
  if (!reader.has("attentional_pool")) return;
  const nlohmann::json& pool = reader.get("attentional_pool");
  if (pool.is_string())
    reader.unsupported(fmt::format("attentional_pool '{}' is not supported by this engine",
                                   pool.get<std::string>()));
  if (!reader.boolean("attentional_pool", false)) return;
  if (vision.is_resnet) reader.fail("attentional_pool", "is for vision transformers");
  if (embed_dim % vision.attn_pool_heads != 0)
    reader.fail("attn_pooler_heads", fmt::format("does not divide the embed_dim {}", embed_dim));
  if (queries < 2) reader.fail("attn_pooler_queries", "must be above 1");
  vision.attn_pool_queries = queries;
}

DecoderConfig read_decoder(const nlohmann::json& json, const std::string& source, bool quick_gelu,
                           const ModelConfig& config) {
  ConfigReader reader(json, source + ": multimodal_cfg");
  DecoderConfig decoder;
  decoder.context_length = reader.integer("context_length", 77);
  decoder.vocab_size = config.text.hf ? 49408 : config.text.vocab_size;
  decoder.width = reader.integer("width", 512);
  decoder.heads = reader.integer("heads", 8);
  decoder.layers = reader.integer("layers", 12);
  decoder.mlp_width = 4 * decoder.width;
  if (reader.has("ls_init_value"))
    decoder.ls_init_value = static_cast<float>(reader.number("ls_init_value", 0));
  decoder.activation = quick_gelu ? Activation::quick_gelu : Activation::gelu;
  if (decoder.width % decoder.heads != 0)
    reader.fail("heads", fmt::format("does not divide the width {}", decoder.width));
  if (decoder.width != config.text.width)
    reader.fail("width", fmt::format("must be the text tower's, {}", config.text.width));
  const int picture = config.vision.attn_pool_queries > 0 ? config.embed_dim : config.vision.width;
  if (decoder.width != picture)
    reader.fail("width", fmt::format("must be that of the picture's tokens, {}", picture));
  reader.skip({"vocab_size", "mlp_ratio", "dim_head", "n_queries", "attn_pooler_heads",
               "output_tokens", "embed_cls", "pad_id"});
  reader.refuse_unknown();
  return decoder;
}

}  // namespace openclip
