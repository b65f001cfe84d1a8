// Text towers of Hugging Face transformers as data. Part of rank 4, free of tensors.
#pragma once

#include <string>

namespace openclip {

class ConfigReader;
struct TextConfig;

/// What open_clip's HFTextEncoder makes of the last layer's states.
enum class HfPooler {
  mean,        // mean over the tokens that are no padding
  cls,         // first token through transformers' own pooler: tanh(dense(x))
  cls_hidden,  // first token as it is
};

/// What a RoBERTa or XLM-RoBERTa (the same function with other tokens) has beyond TextConfig, whose
/// width, heads, layers, mlp_width, vocab_size, pad_id, activation and norm_eps hold for it too.
struct HfTextConfig {
  std::string name;         // hf_model_name, for people
  int max_positions = 514;  // rows of the position embedding; the first token's is row pad_id + 1
  int token_types = 1;      // rows of the token type embedding, of which the first is used
  HfPooler pooler = HfPooler::mean;
  int proj_hidden = 0;  // of an MLP projection (hf_proj_type mlp); 0 = one Linear or none
};

/// Fills `text` from a text_cfg with hf_model_name. Sizes come from the table
/// (config/hf_text.json), where text_cfg.hf_model_config does not name another value; a model that
/// the table lacks takes transformers' defaults. Throws: Unsupported for other architectures,
/// poolers and projections, ParseError for values out of range.
void read_hf_text(ConfigReader& reader, int embed_dim, TextConfig& text);

/// `open_clip_json` (as parse_model_config takes it) with transformers' config.json of the model's
/// folder as text_cfg.hf_model_config, whose own values come first. Unchanged where the config has
/// no text tower of transformers, or config.json is that of another kind of model.
std::string add_hf_model_config(const std::string& open_clip_json, const std::string& config_json);

}  // namespace openclip
