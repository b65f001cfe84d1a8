// Command line, TensorBoard's checksums and checkpoint folders.
#include <gtest/gtest.h>

#include <filesystem>

#include "optim/ema.h"
#include "testing/golden.h"
#include "trainer/chart.h"
#include "trainer/checkpoint.h"
#include "trainer/loss_scale.h"
#include "trainer/options.h"
#include "trainer/tensorboard.h"

namespace openclip::train {
namespace {

CommandLine parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openclip-train");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

TEST(OptionsTest, DefaultsFollowTheModelsName) {
  const CommandLine vit = parse({"--train-data", "x.tar", "--model", "ViT-B-32"});
  ASSERT_TRUE(vit.options);
  EXPECT_DOUBLE_EQ(vit.options->optimizer.beta2, 0.98);
  EXPECT_DOUBLE_EQ(vit.options->optimizer.eps, 1e-6);
  const CommandLine resnet = parse({"--train-data", "x.tar", "--model", "RN50", "--beta2", "0.95"});
  ASSERT_TRUE(resnet.options);
  EXPECT_DOUBLE_EQ(resnet.options->optimizer.beta2, 0.95);
  EXPECT_DOUBLE_EQ(resnet.options->optimizer.eps, 1e-8);
  EXPECT_EQ(resnet.options->epochs, 32);
  EXPECT_EQ(resnet.options->warmup, 10000);
}

TEST(OptionsTest, WrongUsageIsOneLineAndCodeTwo) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"--train-data", "x.tar", "--no-such-flag"},
      {"--train-data", "x.tar", "--batch-size", "0"},
      {"--train-data", "x.tar", "--precision", "fp8"},
      {"--train-data", "x.tar", "--concept-table", "1"},
      {"--train-data", "x.tar", "--label-key", "x", "--concept-align", "1"},
      {"--train-data", "x.tar", "--extra-texts", "2", "--accum-freq", "2"},
      {"--train-data", "x.tar", "--first-caption-prob", "2"},
      {"--train-data", "x.tar", "--lock-image-freeze-bn-stats"},
      {"--train-data", "x.tar", "--json-text-key", "en,zh", "--json-text-key-probs", "1"},
      {"--train-data", "x.tar", "--aug-cfg", "nonsense=1"},
      {"--train-data", "x.tar", "--lora-alpha", "8"},
      {"--train-data", "x.tar", "--lock-image-unlocked-groups", "2"},
      {"--train-data", "x.tar", "--distill-model", "ViT-B-32"},
      {"--train-data", "x.tar", "--siglip", "--label-key", "x"},
      {"--train-data", "x.tar", "--stage", "visual", "--siglip"},
      {"--train-data", "x.tar", "--stage", "visual", "--val-data", "y.tar"},
      {"--train-data", "x.tar", "--ssl-aug-cfg", "blur_prob=0"},
      {"--train-data", "x.tar", "--train-data-upsampling-factors", "1::2"},
      {"--train-data", "x.tar", "--nproc", "0"},
      {"--train-data", "x.tar", "--opt", "sgd"}};
  for (const auto& arguments : wrong) {
    const CommandLine line = parse(arguments);
    EXPECT_FALSE(line.options);
    EXPECT_EQ(line.exit_code, 2);
    EXPECT_EQ(std::count(line.output.begin(), line.output.end(), '\n'), 1) << line.output;
  }
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
}

TEST(LossScaleTest, HalvesOnInfinityAndDoublesAfterManyGoodSteps) {
  LossScale scale(LossScale::kStart, 0);
  scale.update(false);
  EXPECT_EQ(scale.value(), LossScale::kStart / 2);
  for (int i = 0; i < LossScale::kInterval; ++i) scale.update(true);
  EXPECT_EQ(scale.value(), LossScale::kStart);
  EXPECT_EQ(scale.good_steps(), 0);
}

TEST(ChartTest, NamesAreEscapedAndOnePointIsEnough) {
  const std::string svg = line_chart("a<b", "step", {{"x & y", {{1, 2}}}});
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_NE(svg.find("x &amp; y"), std::string::npos);
  EXPECT_NE(svg.find("<circle"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(TensorBoardTest, ChecksumIsCastagnoli) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
}

TEST(CheckpointTest, RoundTripReplacesTheOlderOne) {
  const std::string folder = testing::TempDir() + "/checkpoints";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const Json golden = read_json_file(golden_path("steps_resnet"));
  const ModelConfig config = golden_config(golden, "resnet");
  TensorStore model = TensorStore::create(model_tensors(config), 1), auxiliary;
  Communicator alone;
  Optimizer optimizer({&model}, {}, alone);
  Ema ema(model, 0.9);
  TrainingState state{config, model, auxiliary, optimizer, &ema, ""};
  EXPECT_FALSE(latest_checkpoint(folder));
  write_checkpoint(folder, "epoch_latest",
                   take_snapshot(state, {.step = 3, .seed = 7, .steps_per_epoch = 5}, true));
  write_checkpoint(folder, "epoch_1",
                   take_snapshot(state, {.step = 5, .seed = 7, .steps_per_epoch = 5}, true));
  write_checkpoint(folder, "epoch_latest",
                   take_snapshot(state, {.step = 4, .seed = 7, .steps_per_epoch = 5}, true));
  EXPECT_EQ(latest_checkpoint(folder), folder + "/epoch_1");

  TensorStore other = TensorStore::create(model_tensors(config), 2), nothing;
  Optimizer other_optimizer({&other}, {}, alone);
  Ema other_ema(other, 0.9);
  TrainingState restored{config, other, nothing, other_optimizer, &other_ema, ""};
  const Position position = load_checkpoint(folder + "/epoch_latest", restored);
  EXPECT_EQ(position.step, 4);
  EXPECT_EQ(position.seed, 7u);
  for (size_t i = 0; i < model.entries().size(); ++i) {
    EXPECT_TRUE(model.entries()[i].tensor.equal(other.entries()[i].tensor));
    EXPECT_TRUE(ema.weights().entries()[i].tensor.equal(other_ema.weights().entries()[i].tensor));
  }
  // Nothing temporary stays behind.
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_NE(entry.path().filename().string().front(), '.');
}

}  // namespace
}  // namespace openclip::train
