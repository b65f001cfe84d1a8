// Ten steps of tiny models against Python open_clip (tools/goldens/train.py).
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "model/towers.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "testing/golden.h"
#include "trainer/objective.h"

namespace openclip::train {
namespace {

class GoldenSteps : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    golden_ = read_json_file(golden_path(std::string("steps_") + GetParam()));
    config_ = golden_config(golden_, GetParam());
    store_ = TensorStore::create(model_tensors(config_), 0);
    fill_weights(store_);
  }

  Batch batch(int step) const { return golden_batch(config_, golden_.at("batch"), step); }

  Json golden_;
  ModelConfig config_;
  TensorStore store_, auxiliary_;
  Communicator alone_;
};

double relative_error(double a, double b) { return std::abs(a - b) / std::max(1e-12, std::abs(b)); }

TEST_P(GoldenSteps, FeaturesMatch) {
  const c10::NoGradGuard no_grad;
  const Batch first = batch(0);
  const auto check = [&](const at::Tensor& features, const char* key) {
    const at::Tensor unit = features / features.norm(2, -1, true);
    const std::vector<double> expected = golden_.at(key);
    for (size_t i = 0; i < expected.size(); ++i)
      // Rounding grows where BatchNorm divides by the deviation of few values.
      EXPECT_NEAR(unit[0][i].item<double>(), expected[i], 1e-5) << key << " " << i;
  };
  check(encode_image(config_, store_, first.pixels, {.batch_norm = BatchNormMode::batch_update})
            .features,
        "image_features");
  check(encode_text(config_, store_, first.ids).features, "text_features");
}

TEST_P(GoldenSteps, GradientsMatch) {
  Objective objective(config_, store_, auxiliary_, {}, alone_);
  objective.accumulate_gradients({batch(0)});
  // Gradients that are zero but for rounding (keys' biases) are compared on the largest one's
  // scale.
  double largest = 0;
  for (const auto& [name, values] : golden_.at("gradients").items())
    largest = std::max(largest, values.at(0).get<double>());
  for (const NamedParameter& entry : store_.entries()) {
    if (!entry.trainable) continue;
    const Json& expected = golden_.at("gradients").at(entry.name);
    // The attention pool leaves its keys' bias, whose gradient is zero, out of the graph.
    const at::Tensor defined =
        entry.tensor.grad().defined() ? entry.tensor.grad() : at::zeros_like(entry.tensor.detach());
    const at::Tensor grad = defined.contiguous().to(at::kDouble).flatten();
    const double norm = expected.at(0).get<double>();
    const double tolerance = 1e-4 * norm + 1e-6 * largest;
    EXPECT_NEAR(grad.norm().item<double>(), norm, tolerance) << entry.name;
    const double projection = grad.dot(hash_fill(grad.numel(), 77)).item<double>();
    EXPECT_NEAR(projection, expected.at(1).get<double>(), tolerance) << entry.name;
  }
}

TEST_P(GoldenSteps, TenStepsMatch) {
  OptimizerOptions options;
  set_defaults_by_model(options, GetParam());
  options.weight_decay = golden_.at("weight_decay");
  Optimizer optimizer({&store_}, options, alone_);
  Objective objective(config_, store_, auxiliary_, {}, alone_);
  const Schedule schedule{.base_lr = golden_.at("lr"),
                          .warmup_steps = golden_.at("warmup"),
                          .total_steps = static_cast<int64_t>(golden_.at("steps").size())};
  int step = 0;
  for (const Json& expected : golden_.at("steps")) {
    optimizer.zero_grad();
    const StepLosses losses = objective.accumulate_gradients({batch(step)});
    EXPECT_LT(relative_error(losses.total, expected.at("loss")), 1e-4) << "step " << step;
    EXPECT_LT(relative_error(schedule.lr(step), expected.at("lr")), 1e-12) << "step " << step;
    optimizer.step(schedule.lr(step));
    const c10::NoGradGuard no_grad;
    at::Tensor scale = store_.get("logit_scale");
    scale.clamp_(0, std::log(100.0));
    EXPECT_NEAR(scale.item<double>(), expected.at("logit_scale").get<double>(), 2e-5)
        << "step " << step;
    ++step;
  }
}

// --accum-freq 2 must give the gradients of one batch of twice the size (no BatchNorm here).
TEST_P(GoldenSteps, AccumulationEqualsLargeBatch) {
  if (config_.vision.is_resnet) GTEST_SKIP() << "BatchNorm sees each batch by itself";
  const Batch a = batch(0), b = batch(1);
  Objective objective(config_, store_, auxiliary_, {}, alone_);
  objective.accumulate_gradients({a, b});
  std::map<std::string, at::Tensor> accumulated;
  for (NamedParameter& entry : store_.entries()) {
    if (!entry.trainable) continue;
    accumulated[entry.name] = entry.tensor.grad().clone();
    entry.tensor.mutable_grad().reset();
  }
  objective.accumulate_gradients({joined(a, b)});
  for (const NamedParameter& entry : store_.entries()) {
    if (!entry.trainable) continue;
    const at::Tensor expected = entry.tensor.grad();
    const double scale = expected.norm().item<double>() + 1e-4;
    EXPECT_LT((accumulated[entry.name] - expected).norm().item<double>(), 1e-5 * scale)
        << entry.name;
  }
}

INSTANTIATE_TEST_SUITE_P(TinyModels, GoldenSteps,
                         testing::Values("vit", "vit_quickgelu_avg", "resnet", "vit_coca"),
                         [](const auto& info) { return std::string(info.param); });

TEST(ScheduleTest, MatchesOpenClip) {
  const Json golden = read_json_file(golden_path("schedules"));
  Schedule schedule{.base_lr = 1e-3,
                    .warmup_steps = 5,
                    .total_steps = 20,
                    .cooldown_steps = 8,
                    .cooldown_power = 2,
                    .cooldown_end_lr = 1e-5};
  const std::map<std::string, ScheduleKind> kinds = {
      {"cosine", ScheduleKind::cosine},
      {"const", ScheduleKind::constant},
      {"const-cooldown", ScheduleKind::constant_cooldown}};
  for (const auto& [name, kind] : kinds) {
    schedule.kind = kind;
    for (int step = 0; step < 20; ++step)
      EXPECT_NEAR(schedule.lr(step), golden.at(name).at(step).get<double>(), 1e-15)
          << name << " " << step;
  }
}

}  // namespace
}  // namespace openclip::train
