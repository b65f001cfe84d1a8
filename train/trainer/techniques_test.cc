// Training techniques against Python open_clip and timm (tools/goldens/train_techniques.py), and
// against what they must not change.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "model/linear.h"
#include "optim/layer_groups.h"
#include "optim/optimizer.h"
#include "testing/golden.h"
#include "testing/threads_as_processes.h"
#include "trainer/evaluation.h"
#include "trainer/objective.h"

namespace openclip::train {
namespace {

Json techniques() { return read_json_file(golden_path("techniques")); }

ModelConfig config_of(const std::string& name) {
  return golden_config(read_json_file(golden_path("steps_" + name)), name);
}

TensorStore filled(const ModelConfig& config) {
  TensorStore store = TensorStore::create(model_tensors(config), 0);
  fill_weights(store);
  return store;
}

std::map<std::string, at::Tensor> take_gradients(TensorStore& store) {
  std::map<std::string, at::Tensor> gradients;
  for (NamedParameter& entry : store.entries()) {
    if (entry.tensor.grad().defined()) gradients[entry.name] = entry.tensor.grad().clone();
    entry.tensor.mutable_grad().reset();
  }
  return gradients;
}

void expect_same_gradients(const std::map<std::string, at::Tensor>& actual,
                           const std::map<std::string, at::Tensor>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  // Gradients that are zero but for rounding are compared on the scale of the largest.
  double largest = 0;
  for (const auto& [name, gradient] : expected)
    largest = std::max(largest, gradient.norm().item<double>());
  for (const auto& [name, gradient] : expected) {
    const double scale = gradient.norm().item<double>() + 1e-2 * largest;
    EXPECT_LT((actual.at(name) - gradient).norm().item<double>(), tolerance * scale) << name;
  }
}

TEST(OptimizerTest, NAdamWAndLionMatchTimm) {
  const Json golden = techniques();
  for (const auto& [name, kind] :
       {std::pair{"nadamw", OptimizerKind::nadamw}, {"lion", OptimizerKind::lion}}) {
    TensorStore store;
    store.add({"w", hash_fill(24, 1).to(at::kFloat).view({4, 6}).set_requires_grad(true)});
    Communicator alone;
    Optimizer optimizer(
        {&store}, {.kind = kind, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-6, .weight_decay = 0.1},
        alone);
    int step = 0;
    for (const Json& expected : golden.at(name)) {
      at::Tensor weight = store.get("w");
      weight.mutable_grad() = hash_fill(24, 10 + step++).to(at::kFloat).view({4, 6});
      optimizer.step(1e-2);
      const at::Tensor values = at::tensor(expected.get<std::vector<float>>());
      EXPECT_LT((weight.detach().flatten() - values).abs().max().item<double>(), 2e-6)
          << name << " " << step;
    }
  }
}

TEST(LayerGroupsTest, LockedTowersMatchOpenClip) {
  const Json golden = techniques();
  const ModelConfig config = config_of("vit");
  for (const auto& [groups, expected] : golden.at("locked").items()) {
    TensorStore store = TensorStore::create(model_tensors(config), 0);
    const int count = std::stoi(groups);
    lock_towers(store, config, {true, true, count, count});
    std::vector<std::string> trainable;
    for (const NamedParameter& entry : store.entries())
      if (entry.trainable) trainable.push_back(entry.name);
    std::sort(trainable.begin(), trainable.end());
    EXPECT_EQ(trainable, expected.get<std::vector<std::string>>()) << groups;
  }
}

TEST(LayerGroupsTest, DecayFallsWithDepth) {
  const ModelConfig config = config_of("vit");  // two blocks in each tower: groups 0 to 3
  const auto factor = [&](const char* name) { return layer_decay_factor(config, name, 0.5, 0.1); };
  EXPECT_DOUBLE_EQ(factor("visual.proj"), 1);
  EXPECT_DOUBLE_EQ(factor("visual.ln_post.weight"), 0.5);
  EXPECT_DOUBLE_EQ(factor("visual.transformer.resblocks.1.ln_1.weight"), 0.5);
  EXPECT_DOUBLE_EQ(factor("visual.transformer.resblocks.0.ln_1.weight"), 0.25);
  EXPECT_DOUBLE_EQ(factor("visual.conv1.weight"), 0.125);
  EXPECT_DOUBLE_EQ(factor("text_projection"), 1);
  EXPECT_NEAR(factor("token_embedding.weight"), 1e-3, 1e-15);
  EXPECT_DOUBLE_EQ(factor("logit_scale"), 1);
  EXPECT_THROW(layer_decay_factor(config_of("resnet"), "visual.conv1.weight", 0.5, 1), Unsupported);
}

TEST(OptimizerTest, DecayGroupsMatchOpenClip) {
  for (const auto& [name, expected] : techniques().at("decayed").items()) {
    std::vector<std::string> decayed;
    for (const TensorSpec& spec : model_tensors(config_of(name)))
      if (spec.trainable && !is_decay_free(spec.name, static_cast<int64_t>(spec.shape.size())))
        decayed.push_back(spec.name);
    std::sort(decayed.begin(), decayed.end());
    EXPECT_EQ(decayed, expected.get<std::vector<std::string>>()) << name;
  }
}

TEST(LoadWeightsTest, PositionsOfAnotherSizeAreInterpolated) {
  const Json golden = techniques().at("positions");
  const std::string path = testing::TempDir() + "/positions.safetensors";
  TensorStore from, to;
  const auto add = [](TensorStore& store, const char* name, const at::Tensor& value) {
    store.add({name, value});
  };
  add(from, "visual.positional_embedding", hash_fill(17 * 8, 3).to(at::kFloat).view({17, 8}));
  add(from, "positional_embedding", hash_fill(12 * 8, 4).to(at::kFloat).view({12, 8}));
  save_weights(from, path);
  add(to, "visual.positional_embedding", at::zeros({26, 8}));
  add(to, "positional_embedding", at::zeros({9, 8}));
  EXPECT_THROW(load_weights(to, path), ParseError);
  load_weights(to, path, {.only_prefix = "", .resize_positions = true});
  for (const auto& [name, key] :
       {std::pair{"visual.positional_embedding", "grid"}, {"positional_embedding", "text"}}) {
    const at::Tensor expected = at::tensor(golden.at(key).get<std::vector<float>>());
    EXPECT_LT((to.get(name).flatten() - expected).abs().max().item<double>(), 1e-6) << name;
  }
}

TEST(EvaluationTest, RetrievalMetricsMatchOpenClip) {
  const at::Tensor image = hash_fill(120, 5).to(at::kFloat).view({20, 6});
  at::Tensor text = hash_fill(120, 6).to(at::kFloat).view({20, 6});
  for (int i = 0; i < 20; i += 3) text[i].copy_(image[i] + 0.1 * text[i]);
  Results results = retrieval_metrics("image_to_text", image, text);
  for (auto& result : retrieval_metrics("text_to_image", text, image)) results.push_back(result);
  const Json expected = techniques().at("metrics");
  ASSERT_EQ(results.size(), expected.size());
  for (const auto& [name, value] : results)
    EXPECT_NEAR(value, expected.at(name).get<double>(), 1e-12) << name;
}

class TinyTraining : public testing::Test {
 protected:
  explicit TinyTraining(const std::string& model = "vit") : config_(config_of(model)) {}

  // Gradients of one step of `batches` under `options`.
  std::map<std::string, at::Tensor> gradients(ObjectiveOptions options,
                                              const std::vector<Batch>& batches) {
    Objective objective(config_, store_, auxiliary_, options, alone_);
    objective.accumulate_gradients(batches);
    return take_gradients(store_);
  }

  const ModelConfig config_;
  TensorStore store_ = filled(config_), auxiliary_;
  Communicator alone_;
  const std::vector<Batch> batches_ = {golden_batch(config_, 64, 0), golden_batch(config_, 64, 1),
                                       golden_batch(config_, 64, 2), golden_batch(config_, 64, 3)};
};

class TinyModels : public TinyTraining, public testing::WithParamInterface<const char*> {
 protected:
  TinyModels() : TinyTraining(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Models, TinyModels, testing::Values("vit", "vit_coca"),
                         [](const auto& info) { return std::string(info.param); });

// 4 x 64 pairs must be 256, the temperature and patch dropout included.
TEST_P(TinyModels, AccumulationOfFourEqualsTheLargeBatch) {
  const Batch large = joined(joined(batches_[0], batches_[1]), joined(batches_[2], batches_[3]));
  for (const bool sigmoid : {false, true}) {
    const ObjectiveOptions options{.sigmoid = sigmoid, .patch_dropout = 0.5};
    const auto expected = gradients(options, {large});
    expect_same_gradients(gradients(options, batches_), expected, 1e-5);
    EXPECT_TRUE(expected.count("logit_scale"));
  }
}

TEST_P(TinyModels, CheckpointingChangesNothing) {
  const auto expected = gradients({}, {batches_[0]});
  expect_same_gradients(gradients({.checkpointing = true}, {batches_[0]}), expected, 1e-6);
  expect_same_gradients(gradients({.checkpointing = true}, {batches_[0], batches_[1]}),
                        gradients({}, {batches_[0], batches_[1]}), 1e-6);
}

TEST_F(TinyTraining, PatchDropoutLeavesOutPatches) {
  const auto all = gradients({}, {batches_[0]});
  const auto some = gradients({.patch_dropout = 0.5}, {batches_[0]});
  EXPECT_GT((all.at("visual.conv1.weight") - some.at("visual.conv1.weight")).norm().item<double>(),
            1e-3 * all.at("visual.conv1.weight").norm().item<double>());
  const c10::NoGradGuard no_grad;
  // Keeping every patch, in any order, is no dropout: attention does not know their order.
  const at::Tensor kept = at::arange(15, -1, -1, at::kLong).unsqueeze(0).expand({64, 16});
  const at::Tensor expected = encode_image(config_, store_, batches_[0].pixels).features;
  const at::Tensor reversed =
      encode_image(config_, store_, batches_[0].pixels, {.kept_patches = kept}).features;
  EXPECT_LT((expected - reversed).abs().max().item<double>(), 1e-5);
}

// However the batch is spread over processes, gradients are those of one.
TEST_P(TinyModels, ProcessesGiveTheGradientsOfOne) {
  for (const bool sigmoid : {false, true}) {
    const ObjectiveOptions options{.sigmoid = sigmoid, .patch_dropout = 0.25};
    const auto expected =
        gradients(options, {joined(batches_[0], batches_[1]), joined(batches_[2], batches_[3])});
    for (const int size : {2, 4}) {
      std::mutex mutex;
      threads_as_processes(size, [&](Communicator& processes) {
        TensorStore store = filled(config_), auxiliary;
        GradientReducer reducer({&store}, processes, /*bucket_bytes=*/10'000);
        Objective objective(config_, store, auxiliary, options, processes);
        const int r = processes.rank();
        const std::vector<Batch> own =
            size == 4 ? std::vector{batches_[r]} : std::vector{batches_[r], batches_[r + 2]};
        for (int step = 0; step < 2; ++step) {  // buckets are rearranged after the first
          objective.accumulate_gradients(own, &reducer);
          const std::lock_guard lock(mutex);
          expect_same_gradients(take_gradients(store), expected, 1e-5);
        }
      });
    }
  }
}

TEST_F(TinyTraining, ShardedOptimiserStepsAlike) {
  struct Trained {
    TensorStore store;
    TensorList state;
    int64_t bytes = 0;
  };
  const auto train = [&](Communicator& processes, bool sharded) {
    Trained result{filled(config_), {}};
    TensorStore auxiliary;
    Optimizer optimizer({&result.store}, {.weight_decay = 0.1, .sharded = sharded}, processes);
    GradientReducer reducer({&result.store}, processes);
    Objective objective(config_, result.store, auxiliary, {}, processes);
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      objective.accumulate_gradients({batches_[static_cast<size_t>(processes.rank())]}, &reducer);
      optimizer.step(1e-3);
    }
    result.bytes = optimizer.state_bytes();
    result.state = optimizer.state();
    return result;
  };
  threads_as_processes(2, [&](Communicator& processes) {
    const Trained whole = train(processes, false), sharded = train(processes, true);
    EXPECT_LT(sharded.bytes, whole.bytes * 6 / 10);
    for (const NamedParameter& entry : whole.store.entries())
      EXPECT_TRUE(entry.tensor.equal(sharded.store.get(entry.name))) << entry.name;
    if (!processes.is_first()) return;
    ASSERT_EQ(sharded.state.size(), whole.state.size());
    for (size_t i = 0; i < whole.state.size(); ++i) {
      EXPECT_EQ(sharded.state[i].first, whole.state[i].first);
      EXPECT_TRUE(sharded.state[i].second.equal(whole.state[i].second)) << whole.state[i].first;
    }
  });
}

TEST_F(TinyTraining, AdaptersStartAtNothingAndMergeExactly) {
  const auto image = [&](const TensorStore& store) {
    const c10::NoGradGuard no_grad;
    return encode_image(config_, store, batches_[0].pixels).features;
  };
  const at::Tensor before = image(store_);
  add_lora(store_, 4, 8, 1);
  EXPECT_TRUE(image(store_).equal(before));
  const auto trained = gradients({}, {batches_[0]});
  for (const auto& [name, gradient] : trained)
    EXPECT_TRUE(name == "logit_scale" || name.find(".lora_") != std::string::npos) << name;
  EXPECT_EQ(trained.size(), 1u + 2 * 4 * 2 * 2);  // both towers, two blocks, four layers, A and B
  for (NamedParameter& entry : store_.entries())
    if (entry.adapter)
      entry.tensor.detach().copy_(
          (0.2 * hash_fill(entry.tensor.numel(), 9)).to(at::kFloat).view(entry.tensor.sizes()));
  const std::string path = testing::TempDir() + "/merged.safetensors";
  save_weights(store_, path);
  TensorStore merged = TensorStore::create(model_tensors(config_), 0);
  load_weights(merged, path);
  const at::Tensor adapted = image(store_);
  EXPECT_GT((adapted - before).abs().max().item<double>(), 1e-2);
  EXPECT_LT((image(merged) - adapted).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace openclip::train
