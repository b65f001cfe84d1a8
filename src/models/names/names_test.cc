// Names of checkpoints, and what of them a tower reads.
#include <gmock/gmock.h>

#include <cstring>
#include <set>

#include "base/file.h"
#include "io/checkpoint.h"
#include "models/model.h"
#include "models/names/state_dict.h"
#include "models/names/transformers.h"

namespace openclip {
namespace {

using testing::ElementsAre;

const std::string kPlain = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/towers/plain";

ModelConfig plain_config() {
  return parse_model_config(read_text_file(kPlain + ".json", 1 << 20), kPlain, "plain");
}
LazyTensors plain_tensors() { return Checkpoint::open(kPlain + ".safetensors").tensors(); }

LazyTensors named(const std::vector<std::string>& names) {
  LazyTensors tensors;
  for (const std::string& name : names) tensors.emplace(name, zeros(DType::f32, {1}));
  return tensors;
}

std::vector<std::string> names_of(const LazyTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TEST(NamesTest, WrappersAndBuffersGo) {
  ModelConfig config;
  for (const char* prefix : {"module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."})
    EXPECT_THAT(names_of(open_clip_names(named({prefix + std::string("ln_final.bias"),
                                                prefix + std::string("visual.proj")}),
                                         config)),
                ElementsAre("ln_final.bias", "visual.proj"));
  EXPECT_THAT(names_of(open_clip_names(named({"module.a", "b"}), config)),
              ElementsAre("b", "module.a"));
  EXPECT_THAT(
      names_of(open_clip_names(named({"a", "attn_mask", "context_length", "input_resolution",
                                      "text_model.embeddings.position_ids", "vocab_size"}),
                               config)),
      ElementsAre("a"));
}

TEST(NamesTest, TheTextTowerGoesWhereTheClassHasIt) {
  ModelConfig config;
  const std::vector<std::string> root = {"ln_final.bias", "positional_embedding",
                                         "token_embedding.weight", "visual.positional_embedding"};
  const std::vector<std::string> custom = {"text.ln_final.bias", "text.positional_embedding",
                                           "text.token_embedding.weight",
                                           "visual.positional_embedding"};
  EXPECT_EQ(names_of(open_clip_names(named(custom), config)), root);
  EXPECT_EQ(names_of(open_clip_names(named(root), config)), root);
  config.custom_text = true;
  EXPECT_EQ(names_of(open_clip_names(named(custom), config)), custom);
  EXPECT_EQ(names_of(open_clip_names(named(root), config)), custom);
}

TEST(NamesTest, AMissingLogitBiasIsZero) {
  ModelConfig config;
  config.has_logit_bias = true;
  const LazyTensors tensors = open_clip_names(named({"logit_scale"}), config);
  const HeldTensor bias = tensors.at("logit_bias").load();
  EXPECT_EQ(std::vector<uint8_t>(bias.view.bytes.begin(), bias.view.bytes.end()),
            std::vector<uint8_t>(4, 0));
}

TEST(NamesTest, TransformersAndBackGivesTheSameBytes) {
  const LazyTensors before = plain_tensors();
  const LazyTensors there = to_transformers(before);
  EXPECT_TRUE(has_transformers_names(there));
  EXPECT_TRUE(there.contains("vision_model.encoder.layers.1.self_attn.v_proj.bias"));
  EXPECT_TRUE(there.contains("text_projection.weight"));
  const LazyTensors back = from_transformers(there);
  EXPECT_EQ(names_of(back), names_of(before));
  for (const auto& [name, tensor] : before) {
    const HeldTensor a = tensor.load(), b = back.at(name).load();
    EXPECT_EQ(a.view.shape, b.view.shape) << name;
    EXPECT_TRUE(std::equal(a.view.bytes.begin(), a.view.bytes.end(), b.view.bytes.begin(),
                           b.view.bytes.end()))
        << name;
  }
}

TEST(NamesTest, ProjectionsThatDoNotFitKeepTheirNames) {
  const std::string layer = "text_model.encoder.layers.0.self_attn.";
  EXPECT_THAT(names_of(from_transformers(named({layer + "q_proj.bias", layer + "k_proj.bias"}))),
              ElementsAre(layer + "k_proj.bias", layer + "q_proj.bias"));
}

// The tensors of `from`, adding each name to `read` when it is loaded.
LazyTensors watched(const LazyTensors& from, std::set<std::string>& read) {
  LazyTensors out;
  for (const auto& [name, tensor] : from)
    out.emplace(name, LazyTensor(tensor.dtype(), tensor.shape(), [&read, name, tensor] {
                  read.insert(name);
                  return tensor.load();
                }));
  return out;
}

TEST(NamesTest, OnlyTheTowerThatIsNeededIsRead) {
  for (const Towers towers : {Towers::image_only, Towers::text_only}) {
    std::set<std::string> read, expected = {"logit_scale"};
    const LazyTensors tensors = watched(plain_tensors(), read);
    Model::load(Context(1), plain_config(), tensors, "plain", {.towers = towers});
    for (const auto& [name, tensor] : tensors)
      if (name.starts_with("visual.") == (towers == Towers::image_only)) expected.insert(name);
    EXPECT_EQ(read, expected);
  }
}

TEST(NamesTest, DoublesGiveTheSameFeatures) {
  LazyTensors doubles;
  for (const auto& [name, tensor] : plain_tensors()) {
    const HeldTensor held = tensor.load();
    const size_t count = held.view.bytes.size() / sizeof(float);
    const auto copy = std::make_shared<std::vector<double>>(count);
    for (size_t i = 0; i < count; ++i) {
      float value;
      std::memcpy(&value, held.view.bytes.data() + i * sizeof value, sizeof value);
      (*copy)[i] = value;
    }
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(copy->data()),
                                         count * sizeof(double));
    doubles.emplace(name, LazyTensor({DType::f64, tensor.shape(), bytes}, copy));
  }
  const std::vector<std::vector<int32_t>> ids = {{58, 5, 6, 59}};
  float single[16], twice[16];
  const Context context(1);
  Model::load(context, plain_config(), plain_tensors(), "f32")->encode_text(context, ids, single);
  Model::load(context, plain_config(), doubles, "f64")->encode_text(context, ids, twice);
  EXPECT_EQ(std::vector<float>(single, single + 16), std::vector<float>(twice, twice + 16));
}

}  // namespace
}  // namespace openclip
