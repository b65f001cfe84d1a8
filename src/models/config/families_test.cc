// Configs whose towers are those of timm or transformers: what the parser makes of them and
// refuses.
#include <gmock/gmock.h>

#include "base/error.h"
#include "models/config/flops.h"
#include "models/config/model_config.h"
#include "models/config/tensor_table.h"

namespace openclip {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

ModelConfig parse(const std::string& vision, const std::string& text) {
  return parse_model_config(
      R"({"embed_dim":512,"vision_cfg":{)" + vision + R"(},"text_cfg":{)" + text + "}}", "test",
      "test");
}

const std::string kConvNext = R"("timm_model_name":"convnext_base","timm_pool":"")";
const std::string kRoberta = R"("hf_model_name":"roberta-base")";

TEST(ConvNextConfigTest, NameStandsForSizes) {
  const ModelConfig config = parse(kConvNext + R"(,"timm_proj":"mlp","image_size":320)", "");
  const ConvNextConfig& convnext = config.vision.convnext.value();
  EXPECT_THAT(convnext.depths, testing::ElementsAre(3, 3, 27, 3));
  EXPECT_THAT(convnext.dims, testing::ElementsAre(128, 256, 512, 1024));
  EXPECT_EQ(convnext.head_hidden, 1024);
  EXPECT_EQ(ConvNextConfig::side(config.vision.image_size, 3), 10);
  EXPECT_FLOAT_EQ(config.vision.norm_eps, 1e-6f);
  EXPECT_FALSE(config.custom_text);
}

// Witness: sum of p.numel() over open_clip 3.3.0's parameters of the same config.
TEST(ConvNextConfigTest, ParameterCountsEqualOpenClips) {
  EXPECT_EQ(parameter_count(parse(kConvNext + R"(,"timm_proj":"linear")", "")), 151518849);
}

TEST(ConvNextConfigTest, QuickGeluIsForNativeTowers) {
  ModelConfig config = parse(kConvNext + R"(,"timm_proj":"linear")", "");
  force_quick_gelu(config);
  EXPECT_EQ(config.vision.activation, Activation::gelu);
  EXPECT_EQ(config.text.activation, Activation::quick_gelu);
  EXPECT_TRUE(uses_quick_gelu(config));
}

TEST(ConvNextConfigTest, RefusesWhatTheEngineLacks) {
  const auto reading = [](const std::string& more) {
    return [more] { parse(kConvNext + more, ""); };
  };
  EXPECT_THAT(reading(R"(,"timm_proj":"none")"),
              ThrowsMessage<Unsupported>(HasSubstr("timm_proj must be linear or mlp")));
  EXPECT_THAT(reading(R"(,"timm_proj":"linear","timm_pool":"abs_attn")"),
              ThrowsMessage<Unsupported>(HasSubstr("timm_pool 'abs_attn'")));
  EXPECT_THAT(reading(R"(,"timm_proj":"linear","image_size":31)"),
              ThrowsMessage<ParseError>(HasSubstr("'image_size' must be 32 at least")));
  EXPECT_THAT(reading(R"(,"timm_proj":"linear","timm_model_kwargs":{"use_grn":true})"),
              ThrowsMessage<Unsupported>(HasSubstr("'use_grn' is not supported")));
  for (const char* dims : {"[1,2,3]", "[1,2,3,0]", "[1,2,3,65537]", "[1,2,3,4.5]", "7"})
    EXPECT_THAT(
        reading(R"(,"timm_proj":"linear","timm_model_kwargs":{"dims":)" + std::string(dims) + "}"),
        ThrowsMessage<ParseError>(HasSubstr("dims must be four sizes")));
  EXPECT_THAT(reading(R"(,"timm_proj":"linear","timm_model_kwargs":{"norm_eps":"x"})"),
              ThrowsMessage<ParseError>(HasSubstr("norm_eps")));
  EXPECT_THAT([] { parse(R"("timm_model_name":"convnextv2_base")", ""); },
              ThrowsMessage<Unsupported>(HasSubstr("'convnextv2_base' is not supported")));
}

TEST(FastVitConfigTest, RefusesWhatTheEngineLacks) {
  const auto reading = [](const std::string& rest) {
    return [rest] { parse(R"("timm_model_name":"fastvit_mci0")" + rest, ""); };
  };
  const auto kwargs = [&](const std::string& text) {
    return reading(R"(,"timm_model_kwargs":{)" + text + "}");
  };
  EXPECT_THAT(reading(R"(,"timm_pool":"max")"),
              ThrowsMessage<Unsupported>(HasSubstr("timm_pool must be avg")));
  EXPECT_THAT(reading(R"(,"timm_proj":"mlp")"),
              ThrowsMessage<Unsupported>(HasSubstr("timm_proj must be absent")));
  EXPECT_THAT(kwargs(R"("layers":[1,2,3])"), ThrowsMessage<ParseError>(HasSubstr("be 4 sizes")));
  EXPECT_THAT(kwargs(R"("embed_dims":[8,12,16,32])"),
              ThrowsMessage<ParseError>(HasSubstr("multiples of one another")));
  EXPECT_THAT(kwargs(R"("embed_dims":[8,8,8,8])"),
              ThrowsMessage<ParseError>(HasSubstr("must be multiples of 32")));
  EXPECT_THAT(kwargs(R"("token_mixers":["attention"])"),
              ThrowsMessage<Unsupported>(HasSubstr("token_mixers")));
}

TEST(HfTextConfigTest, NameStandsForSizes) {
  const ModelConfig config = parse("", R"("hf_model_name":"xlm-roberta-large")");
  EXPECT_TRUE(config.custom_text);
  EXPECT_EQ(config.text.vocab_size, 250002);
  EXPECT_EQ(config.text.width, 1024);
  EXPECT_EQ(config.text.layers, 24);
  EXPECT_EQ(config.text.pad_id, 1);
  EXPECT_EQ(config.text.context_length, 77);
  EXPECT_FLOAT_EQ(config.text.norm_eps, 1e-5f);
  EXPECT_EQ(config.text.hf.value().pooler, HfPooler::mean);
  EXPECT_EQ(config.text.hf->proj_hidden, (1024 + 512) / 2);
  EXPECT_EQ(parse("", R"("hf_model_name":"FacebookAI/roberta-base")").text.vocab_size, 50265);
}

// Witness: Hugging Face's roberta-base without its pooler has 124,055,040 parameters; the
// projection is 768 x 640 + 640 x 512, ViT-B-32 and the scale the rest.
TEST(HfTextConfigTest, ParameterCounts) {
  const ModelConfig config = parse(R"("patch_size":32)", kRoberta);
  int64_t text = 0;
  for (const TensorSpec& spec : text_tensors(config)) {
    int64_t count = spec.trainable ? 1 : 0;
    for (const int64_t dim : spec.shape) count *= dim;
    text += count;
  }
  EXPECT_EQ(text, 124055040 + 768 * 640 + 640 * 512);
}

TEST(HfTextConfigTest, OwnValuesComeFirst) {
  const ModelConfig own = parse("", kRoberta + R"(,"hf_model_config":{"num_hidden_layers":3})");
  EXPECT_EQ(own.text.layers, 3);
  EXPECT_EQ(own.text.width, 768);
  const std::string open_clip =
      R"({"model_cfg":{"embed_dim":64,"vision_cfg":{},"text_cfg":{"hf_model_name":"mine",)"
      R"("hf_model_config":{"num_hidden_layers":3}}}})";
  const std::string config_json =
      R"({"model_type":"xlm-roberta","num_hidden_layers":5,"hidden_size":96})";
  const ModelConfig both =
      parse_model_config(add_hf_model_config(open_clip, config_json), "test", "test");
  EXPECT_EQ(both.text.layers, 3);
  EXPECT_EQ(both.text.width, 96);
  for (const char* other : {R"({"model_type":"clip"})", "[]", "{", R"({"model_type":4})"})
    EXPECT_EQ(add_hf_model_config(open_clip, other), open_clip);
}

TEST(HfTextConfigTest, RefusesWhatTheEngineLacks) {
  const auto reading = [](const std::string& text) { return [text] { parse("", text); }; };
  EXPECT_THAT(reading(R"("hf_model_name":"bert-base-uncased")"),
              ThrowsMessage<Unsupported>(HasSubstr("text tower 'bert-base-uncased'")));
  EXPECT_THAT(reading(R"("hf_model_name":"x","hf_model_config":{"model_type":"bert"})"),
              ThrowsMessage<Unsupported>(HasSubstr("text tower 'x'")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_pooler_type":"max_pooler")"),
              ThrowsMessage<Unsupported>(HasSubstr("max_pooler")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_proj_type":"clap_mlp")"),
              ThrowsMessage<Unsupported>(HasSubstr("clap_mlp")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_proj_type":null)"),
              ThrowsMessage<ParseError>(HasSubstr("no projection needs width")));
  EXPECT_THAT(reading(kRoberta + R"(,"context_length":513)"),
              ThrowsMessage<ParseError>(HasSubstr("leaves 512 positions")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_model_config":{"num_attention_heads":7})"),
              ThrowsMessage<ParseError>(HasSubstr("does not divide the width 768")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_model_config":{"hidden_act":"relu"})"),
              ThrowsMessage<Unsupported>(HasSubstr("hidden_act 'relu'")));
  EXPECT_THAT(reading(kRoberta + R"(,"hf_model_config":7)"),
              ThrowsMessage<ParseError>(HasSubstr("must be a JSON object")));
  EXPECT_THAT(reading(kRoberta + R"(,"embed_cls":true)"),
              ThrowsMessage<Unsupported>(HasSubstr("embed_cls")));
}

}  // namespace
}  // namespace openclip
