#include "models/config/hf_text.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/config/config_reader.h"
#include "models/config/model_config.h"

namespace openclip {

namespace embedded {
extern const std::string_view hf_text_json;
}

namespace {

using Json = nlohmann::json;

constexpr const char* kOverride = "hf_model_config";

bool is_known_type(const std::string& type) { return type == "roberta" || type == "xlm-roberta"; }

// The table's values of a model under those that the config replaces, by transformers' names.
Json facts_of(ConfigReader& reader, const std::string& name) {
  static const Json models = Json::parse(embedded::hf_text_json).at("models");
  const std::string plain = name.substr(name.rfind('/') + 1);  // FacebookAI/roberta-base too
  Json facts = models.value(plain, Json::object());
  if (reader.has(kOverride)) {
    const Json& given = reader.get(kOverride);
    if (!given.is_object()) reader.fail(kOverride, "must be a JSON object");
    facts.update(given);
  }
  const Json type = facts.value("model_type", Json());
  if (!type.is_string() || !is_known_type(type.get<std::string>()))
    reader.unsupported(fmt::format("text tower '{}' is not supported by this engine", name));
  return facts;
}

void read_sizes(const Json& facts, const std::string& source, TextConfig& text) {
  ConfigReader reader(facts, source);
  text.width = reader.integer("hidden_size", 768);
  text.heads = reader.integer("num_attention_heads", 12);
  text.layers = reader.integer("num_hidden_layers", 12);
  text.mlp_width = reader.integer("intermediate_size", 3072);
  const bool roberta = facts.at("model_type").get<std::string>() == "roberta";
  text.vocab_size = reader.integer("vocab_size", roberta ? 50265 : 30522);
  text.pad_id = reader.integer("pad_token_id", 1, 0);
  text.norm_eps = static_cast<float>(reader.number("layer_norm_eps", 1e-12));
  text.hf->max_positions = reader.integer("max_position_embeddings", 512);
  text.hf->token_types = reader.integer("type_vocab_size", 2);
  if (text.width % text.heads != 0)
    reader.fail("num_attention_heads", fmt::format("does not divide the width {}", text.width));
  if (text.pad_id >= text.vocab_size) reader.fail("pad_token_id", "is outside of the vocabulary");
  const std::string act = reader.text("hidden_act", "gelu");
  if (act != "gelu" && act != "gelu_new" && act != "gelu_pytorch_tanh")
    reader.unsupported(fmt::format("hidden_act '{}' is not supported by this engine", act));
  text.activation = act == "gelu" ? Activation::gelu : Activation::gelu_tanh;
  const std::string positions = reader.text("position_embedding_type", "absolute");
  if (positions != "absolute")
    reader.unsupported(fmt::format("position_embedding_type '{}' is not supported", positions));
  if (reader.boolean("is_decoder", false)) reader.unsupported("is_decoder is not supported");
  const int longest = text.hf->max_positions - text.pad_id - 1;
  if (text.context_length > longest)
    reader.fail("max_position_embeddings",
                fmt::format("leaves {} positions, fewer than the context length {}", longest,
                            text.context_length));
}

HfPooler read_pooler(ConfigReader& reader) {
  const std::string pooler = reader.text("hf_pooler_type", "mean_pooler");
  if (pooler == "mean_pooler") return HfPooler::mean;
  if (pooler == "cls_pooler") return HfPooler::cls;
  if (pooler == "cls_last_hidden_state_pooler") return HfPooler::cls_hidden;
  reader.unsupported(fmt::format("hf_pooler_type '{}' is not supported by this engine", pooler));
}

}  // namespace

void read_hf_text(ConfigReader& reader, int embed_dim, TextConfig& text) {
  const std::string name = reader.text("hf_model_name", "");
  text.hf = HfTextConfig{};
  text.hf->name = name;
  text.context_length = reader.integer("context_length", 77);
  read_sizes(facts_of(reader, name), reader.source() + ": " + kOverride, text);
  text.hf->pooler = read_pooler(reader);
  text.causal = false;
  text.pool = TextPool::none;
  text.has_projection = !reader.is_null("hf_proj_type");
  const std::string projection = reader.text("hf_proj_type", "mlp");
  if (projection != "mlp" && projection != "linear")
    reader.unsupported(fmt::format("hf_proj_type '{}' is not supported", projection));
  if (text.has_projection && projection == "mlp")
    text.hf->proj_hidden = (text.width + embed_dim) / 2;
  text.hf_tokenizer_name = reader.text("hf_tokenizer_name", "");
  // open_clip reads these, or its own towers do; none changes what transformers computes.
  reader.skip({"output_tokens", "hf_model_pretrained", "tokenizer_kwargs", "tokenizer_mode",
               "width", "heads", "layers", "bos_id", "eos_id", "pad_id", "vocab_size"});
}

std::string add_hf_model_config(const std::string& open_clip_json, const std::string& config_json) {
  Json json = Json::parse(open_clip_json, nullptr, /*allow_exceptions=*/false);
  Json given = Json::parse(config_json, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !given.is_object() || !given.contains("model_type"))
    return open_clip_json;
  Json& model = json.contains("model_cfg") ? json.at("model_cfg") : json;
  if (!model.is_object() || !model.contains("text_cfg")) return open_clip_json;
  Json& text = model.at("text_cfg");
  const Json& type = given.at("model_type");
  if (!text.is_object() || !text.contains("hf_model_name") || !type.is_string() ||
      !is_known_type(type.get<std::string>()))
    return open_clip_json;
  if (text.contains(kOverride) && text.at(kOverride).is_object()) given.update(text.at(kOverride));
  text[kOverride] = given;
  return json.dump();
}

}  // namespace openclip
