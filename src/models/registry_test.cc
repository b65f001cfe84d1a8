#include "models/registry.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "models/config/flops.h"
#include "models/config/tensor_table.h"
#include "models/config/transformers_config.h"

namespace openclip {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RegistryTest, EveryConfigIsOneThisEngineKnows) {
  EXPECT_EQ(registry_names().size(), 120u);
  int resnets = 0;
  for (const std::string& name : registry_names()) {
    const ModelConfig config = registry_config(name);
    resnets += config.vision.is_resnet;
    const bool siglip = name.find("SigLIP") != std::string::npos;
    const bool clipa = name.find("CLIPA") != std::string::npos;
    const int siglip_length = name == "ViT-SO400M-14-SigLIP" ? 16 : 64;
    const bool coca = config.decoder && !config.text.hf;  // 76 words and the class token
    const bool pe = name.starts_with("PE-Core-");
    EXPECT_EQ(config.text.context_length, name == "PE-Core-bigG-14-448" ? 72
                                          : siglip                      ? siglip_length
                                          : clipa || pe                 ? 32
                                          : coca                        ? 76
                                                                        : 77)
        << name;
    EXPECT_EQ(config.vision.activation == Activation::quick_gelu,
              name.ends_with("-quickgelu") || name == "roberta-ViT-B-32");
    EXPECT_EQ(config.vision.pool == VisionPool::map, siglip || pe) << name;
    EXPECT_EQ(config.vision.eva.has_value(), pe || name.starts_with("EVA")) << name;
    EXPECT_EQ(config.has_logit_bias, siglip) << name;
  }
  EXPECT_EQ(resnets, 10);
}

// Witness: open_clip's list_models() and list_pretrained_tags_by_model() (tools/gen_registry.py).
TEST(RegistryTest, LacksOnlyTheModelsOfOpenClipThatAreNamed) {
  const std::string path = OPENCLIP_SOURCE_DIR "/tests/golden/open_clip_models.json";
  const auto models = nlohmann::json::parse(read_text_file(path, 1 << 20)).at("models");
  EXPECT_EQ(models.size(), 144u);
  for (const auto& [name, facts] : models.items()) {
    ASSERT_EQ(registry_has(name), !facts.contains("left_out")) << name;
    if (!registry_has(name)) continue;
    std::vector<std::string> tags;
    for (const PretrainedTag& tag : registry_tags(name)) tags.push_back(tag.tag);
    EXPECT_EQ(tags, facts.at("tags").get<std::vector<std::string>>()) << name;
  }
}

// Witness: sum of p.numel() over open_clip.create_model(name).parameters().
TEST(RegistryTest, ParameterCountsEqualOpenClips) {
  EXPECT_EQ(parameter_count(registry_config("ViT-B-32")), 151277313);
  EXPECT_EQ(parameter_count(registry_config("RN50")), 102007137);
  EXPECT_EQ(parameter_count(registry_config("convnext_tiny")), 92296801);
  EXPECT_EQ(parameter_count(registry_config("convnext_large_d")), 351772609);
}

// Witness: open_clip's docs/model_profile.csv, GFLOPs in multiply-adds: image 4.4 and 3.0 of
// ViT-B-32 and text with 77 tokens, whose attention it counts as the full square.
TEST(RegistryTest, FlopsAreNearOpenClipsProfile) {
  EXPECT_NEAR(image_flops(registry_config("ViT-B-32")) / 2e9, 4.4, 0.1);
  EXPECT_NEAR(text_flops(registry_config("ViT-B-32"), 77) / 2e9, 3.0, 0.1);
  // torch's FlopCounterMode says 6.101 for RN50. Its attention pooling computes all 50 queries and
  // outputs, of which one is used; the other 49 are no useful work.
  const double unused = 49.0 * (2048.0 * 2048 + 2048 * 1024) / 1e9;
  EXPECT_NEAR(image_flops(registry_config("RN50")) / 2e9, 6.101 - unused, 0.01);
}

TEST(RegistryTest, CountsTheTagsThatNeedQuickGelu) {
  int pairs = 0, quick = 0;
  for (const std::string& name : registry_names())
    for (const PretrainedTag& tag : registry_tags(name)) {
      ++pairs;
      quick += tag.quick_gelu && !name.ends_with("-quickgelu");
      EXPECT_FALSE(tag.hub_repo.empty()) << name << ":" << tag.tag;
    }
  EXPECT_EQ(pairs, 175);
  EXPECT_EQ(quick, 27);
}

TEST(RegistryTest, TagSwitchesActivationAndPreprocessing) {
  ModelConfig config = registry_config("ViT-H-14-378");
  apply_tag(config, registry_tag("ViT-H-14-378", "DFN5B"));
  EXPECT_EQ(config.vision.activation, Activation::quick_gelu);
  EXPECT_EQ(config.preprocess.resize_mode, "squash");
  config = registry_config("ViT-L-14");
  apply_tag(config, registry_tag("ViT-L-14", "laion2b-s32b-b82k"));
  EXPECT_EQ(config.vision.activation, Activation::gelu);
  EXPECT_FLOAT_EQ(config.preprocess.mean[0], 0.5f);
}

// What open_clip's configs of CLIPA and MetaCLIP 2 ask for, each a switch of the towers.
TEST(RegistryTest, ConfigsWithOtherTokenizers) {
  const ModelConfig clipa = registry_config("ViT-H-14-CLIPA");
  EXPECT_TRUE(clipa.vision.no_ln_pre && clipa.vision.final_ln_after_pool);
  EXPECT_EQ(clipa.vision.pool, VisionPool::avg);
  EXPECT_EQ(clipa.vision.heads, 16);
  EXPECT_EQ(clipa.text.pool, TextPool::last);
  EXPECT_FALSE(clipa.text.causal);
  EXPECT_EQ(clipa.text.hf_tokenizer_name, "bert-base-uncased");
  EXPECT_EQ(registry_tag("ViT-H-14-CLIPA-336", "datacomp1b").preprocess.interpolation, "bilinear");
  const ModelConfig metaclip = registry_config("ViT-H-14-worldwide");
  EXPECT_EQ(metaclip.text.pool, TextPool::eos);
  EXPECT_EQ(metaclip.text.eos_id, 2);
  EXPECT_EQ(metaclip.text.vocab_size, 901629);
  EXPECT_TRUE(metaclip.text.causal);
}

// What sets EVA-01, EVA-02 and Perception Encoder apart, each a switch of the tower.
TEST(RegistryTest, EvaTrunks) {
  const ModelConfig giant = registry_config("EVA01-g-14"), base = registry_config("EVA02-B-16");
  EXPECT_EQ(giant.vision.eva->qkv, EvaQkv::joint_no_key);
  EXPECT_FALSE(giant.vision.eva->rope || giant.vision.eva->swiglu || giant.vision.eva->post_norm);
  EXPECT_EQ(base.vision.eva->qkv, EvaQkv::separate);
  EXPECT_TRUE(base.vision.eva->rope && base.vision.eva->swiglu);
  EXPECT_EQ(base.vision.mlp_width, 2048);
  EXPECT_TRUE(registry_config("EVA02-E-14").vision.eva->post_norm);
  const ModelConfig pe = registry_config("PE-Core-B-16");
  EXPECT_EQ(pe.vision.eva->pool_heads, 8);
  EXPECT_TRUE(pe.vision.eva->rope->columns_first);
  EXPECT_FALSE(registry_config("PE-Core-bigG-14-448").vision.class_token);
  EXPECT_EQ(registry_tag("PE-Core-B-16", "meta").preprocess.resize_mode, "squash");
}

TEST(RegistryTest, MobileClip) {
  const ModelConfig s0 = registry_config("MobileCLIP2-S0"), b = registry_config("MobileCLIP-B");
  ASSERT_TRUE(s0.vision.fastvit);
  EXPECT_FALSE(s0.vision.is_vit() || s0.text.causal);
  EXPECT_EQ(FastVitConfig::side(256, 3), 8);
  EXPECT_TRUE(b.vision.conv_stem && b.text.causal && !b.vision.class_position);
  const PreprocessSettings tag = registry_tag("MobileCLIP2-S0", "dfndr2b").preprocess;
  EXPECT_EQ(tag.interpolation, "bilinear");
  EXPECT_FLOAT_EQ(tag.mean[0], 0);
  // Apple's tables of MobileCLIP's image towers: 2.4 G multiply-adds of S0.
  EXPECT_NEAR(image_flops(s0) / 2e9, 2.4, 0.1);
}

// A CLIPModel of transformers would compute something else from the same tensors.
TEST(RegistryTest, TowersOfTimmAreNoClipModel) {
  EXPECT_THAT([] { transformers_config(registry_config("EVA02-B-16")); },
              ThrowsMessage<Unsupported>(HasSubstr("its image tower is one of timm")));
  EXPECT_THAT([] { transformers_config(registry_config("MobileCLIP-S1")); },
              ThrowsMessage<Unsupported>(HasSubstr("its image tower is a FastViT")));
}

// Names and shapes of all tensors of all models, against open_clip's own
// (tools/goldens/tensor_tables.py).
TEST(RegistryTest, TensorsAreOpenClips) {
  const std::string path = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/tensor_tables.json";
  const auto golden = nlohmann::json::parse(read_text_file(path, 1 << 20)).at("models");
  for (const std::string& name : registry_names()) {
    const ModelConfig config = registry_config(name);
    if (config.text.hf) continue;  // open_clip needs the hub for these; hf_text.py has goldens
    std::vector<std::string> lines;
    for (const TensorSpec& spec : model_tensors(config))
      lines.push_back(fmt::format("{} [{}]\n", spec.name, fmt::join(spec.shape, ", ")));
    std::sort(lines.begin(), lines.end());
    uint64_t digest = 0xCBF29CE484222325u;
    for (const std::string& line : lines)
      for (const char byte : line) digest = (digest ^ static_cast<uint8_t>(byte)) * 0x100000001B3u;
    EXPECT_EQ(fmt::format("{:016x}", digest), golden.at(name).at("fnv1a")) << name;
    EXPECT_EQ(parameter_count(config), golden.at(name).at("parameters")) << name;
  }
}

TEST(RegistryTest, ImageSizeAndContextLengthCanBeChanged) {
  ModelConfig config = registry_config("ViT-B-16-SigLIP");
  set_image_size(config, 384);
  set_context_length(config, 80);
  EXPECT_EQ(config.vision.grid(), 24);
  const ModelConfig again = parse_model_config(config.model_cfg_json, "again", "again");
  EXPECT_EQ(again.vision.image_size, 384);
  EXPECT_EQ(again.text.context_length, 80);
  EXPECT_THROW(set_image_size(config, 15), InvalidArgument);
  EXPECT_THROW(set_image_size(config, 5000), InvalidArgument);
  EXPECT_THROW(set_context_length(config, 0), InvalidArgument);
  ModelConfig resnet = registry_config("RN50");
  EXPECT_THAT([&] { set_image_size(resnet, 288); },
              ThrowsMessage<InvalidArgument>(HasSubstr("does not resize a ResNet's positions")));
}

TEST(RegistryTest, AcceptsASlash) {
  EXPECT_TRUE(registry_has("ViT-B/32"));
  EXPECT_EQ(registry_config("ViT-B/32").name, "ViT-B-32");
}

TEST(RegistryTest, UnknownNamesSuggestTheNearest) {
  EXPECT_THAT([] { registry_config("ViT-B32"); },
              ThrowsMessage<NotFound>(HasSubstr("did you mean ViT-B-32 or ")));
  EXPECT_THAT([] { registry_tag("ViT-B-32", "opena"); },
              ThrowsMessage<NotFound>(HasSubstr("did you mean openai")));
  EXPECT_THAT([] { registry_tag("ViT-e-14", "openai"); },
              ThrowsMessage<NotFound>(HasSubstr("no published weights")));
}

}  // namespace
}  // namespace openclip
