// What CoCa's configs have beside CLIP's: attention pooling and a caption decoder. Part of rank 4,
// free of tensors. Source: open_clip coca_model.py MultimodalCfg, transformer.py VisionTransformer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/config/config_reader.h"
#include "models/config/model_config.h"

namespace openclip {

/// attentional_pool, attn_pooler_queries and attn_pooler_heads of vision_cfg. Throws: ParseError;
/// Unsupported for the values 'parallel' and 'cascade', which no config of open_clip has.
void read_attentional_pool(ConfigReader& reader, int embed_dim, VisionConfig& vision);

/// multimodal_cfg, as open_clip's CoCa reads it: it ignores the mlp_ratio there. config: the
/// towers, whose widths must fit. Throws: ParseError, Unsupported.
DecoderConfig read_decoder(const nlohmann::json& json, const std::string& source, bool quick_gelu,
                           const ModelConfig& config);

}  // namespace openclip
