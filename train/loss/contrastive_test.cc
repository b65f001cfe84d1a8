// The contrastive losses against Python open_clip (tools/goldens/train_losses.py) and against plain
// formulas, in one process and in several.
#include "loss/contrastive.h"

#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <string>

#include "loss/sigmoid.h"
#include "testing/golden.h"
#include "testing/plain_loss.h"
#include "testing/threads_as_processes.h"

namespace openclip::train {
namespace {

constexpr double kTolerance = 1e-5;  // f32 sums of some hundred terms up to 20

at::Tensor unit_rows(int64_t rows, int64_t width, uint32_t salt) {
  const at::Tensor x = hash_fill(rows * width, salt).to(at::kFloat).view({rows, width});
  return x / x.norm(2, 1, true);
}

// Which pairs each of `size` processes has: uneven where there is more than one.
std::pair<int64_t, int64_t> range(int rank, int size, int64_t pairs) {
  const auto border = [&](int i) { return i == size ? pairs : i * (pairs / size) - (i > 0); };
  return {border(rank), border(rank + 1)};
}

// What all processes have together.
struct Whole {
  double loss = 0, distillation = 0, scale = 0, bias = 0;
  at::Tensor image, text, extra;
};

// Runs compute(first, last, processes), which works on those pairs, in `size` processes.
template <class Compute>
Whole in_processes(int size, int64_t pairs, const Compute& compute) {
  Whole whole;
  std::vector<at::Tensor> images(size), texts(size), extras(size);
  std::mutex mutex;
  threads_as_processes(size, [&](Communicator& processes) {
    const auto [first, last] = range(processes.rank(), size, pairs);
    const LossGradient part = compute(first, last, processes);
    const std::lock_guard lock(mutex);
    whole.loss += part.loss;
    whole.distillation += part.distillation;
    whole.scale += part.scale;
    whole.bias += part.bias;
    images[processes.rank()] = part.image;
    texts[processes.rank()] = part.text;
    extras[processes.rank()] = part.extra_text;
  });
  whole.image = at::cat(images);
  whole.text = at::cat(texts);
  if (extras[0].defined()) whole.extra = at::cat(extras);
  return whole;
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, const char* what) {
  const double scale = expected.norm().item<double>() + 1e-12;
  EXPECT_LT((actual - expected).norm().item<double>(), kTolerance * scale) << what;
}

void expect_golden(const at::Tensor& actual, const Json& expected, const char* what) {
  const std::vector<float> values = expected.get<std::vector<float>>();
  expect_close(actual.flatten(), at::tensor(values), what);
}

class GoldenLoss : public testing::TestWithParam<int> {
 protected:
  const int size_ = GetParam();
  const Json golden_ = read_json_file(golden_path("losses"));
  const int64_t pairs_ = golden_.at("pairs"), width_ = golden_.at("width");
};

TEST_P(GoldenLoss, Clip) {
  const at::Tensor image = unit_rows(pairs_, width_, 1), text = unit_rows(pairs_, width_, 2);
  const Whole whole = in_processes(size_, pairs_, [&](int64_t a, int64_t b, Communicator& p) {
    return contrastive_loss(
        {.image = image.slice(0, a, b), .text = text.slice(0, a, b), .scale = 14}, p);
  });
  const Json& expected = golden_.at("clip");
  EXPECT_NEAR(whole.loss, expected.at("loss"), 1e-5);
  expect_golden(whole.image, expected.at("image"), "image");
  expect_golden(whole.text, expected.at("text"), "text");
  EXPECT_NEAR(whole.scale, expected.at("scale").at(0).get<double>(), 1e-5);
}

TEST_P(GoldenLoss, Sigmoid) {
  const at::Tensor image = unit_rows(pairs_, width_, 1), text = unit_rows(pairs_, width_, 2);
  const Whole whole = in_processes(size_, pairs_, [&](int64_t a, int64_t b, Communicator& p) {
    return sigmoid_loss(
        {.image = image.slice(0, a, b), .text = text.slice(0, a, b), .scale = 10, .bias = -3}, p);
  });
  const Json& expected = golden_.at("siglip");
  EXPECT_NEAR(whole.loss, expected.at("loss"), 1e-5);
  expect_golden(whole.image, expected.at("image"), "image");
  expect_golden(whole.text, expected.at("text"), "text");
  EXPECT_NEAR(whole.scale, expected.at("scale").at(0).get<double>(), 1e-5);
  EXPECT_NEAR(whole.bias, expected.at("bias").at(0).get<double>(), 1e-5);
}

TEST_P(GoldenLoss, Distillation) {
  const at::Tensor image = unit_rows(pairs_, width_, 1), text = unit_rows(pairs_, width_, 2);
  const at::Tensor teacher_image = unit_rows(pairs_, width_, 3);
  const at::Tensor teacher_text = unit_rows(pairs_, width_, 4);
  const Whole whole = in_processes(size_, pairs_, [&](int64_t a, int64_t b, Communicator& p) {
    return contrastive_loss({.image = image.slice(0, a, b),
                             .text = text.slice(0, a, b),
                             .scale = 14,
                             .teacher_image = teacher_image.slice(0, a, b),
                             .teacher_text = teacher_text.slice(0, a, b),
                             .teacher_scale = 20},
                            p);
  });
  const Json& expected = golden_.at("distill");
  EXPECT_NEAR(whole.loss, expected.at("parts").at(0), 1e-5);
  EXPECT_NEAR(whole.distillation, expected.at("parts").at(1), 1e-5);
  expect_golden(whole.image, expected.at("image"), "image");
  expect_golden(whole.text, expected.at("text"), "text");
  EXPECT_NEAR(whole.scale, expected.at("scale").at(0).get<double>(), 1e-5);
}

TEST_P(GoldenLoss, NtXent) {
  const at::Tensor first = unit_rows(pairs_, width_, 5), second = unit_rows(pairs_, width_, 6);
  const Whole whole = in_processes(size_, pairs_, [&](int64_t a, int64_t b, Communicator& p) {
    return nt_xent_loss(
        {.first = first.slice(0, a, b), .second = second.slice(0, a, b), .temperature = 0.2}, p);
  });
  const Json& expected = golden_.at("nt_xent");
  EXPECT_NEAR(whole.loss, expected.at("loss"), 1e-5);
  // The witness normalises once more: its gradients have no part along the features.
  const auto tangential = [](const at::Tensor& gradient, const at::Tensor& features) {
    return gradient - (gradient * features).sum(1, true) * features;
  };
  expect_golden(tangential(whole.image, first), expected.at("first"), "first");
  expect_golden(tangential(whole.text, second), expected.at("second"), "second");
}

// Labels, some of them shared, and captions without pictures.
TEST_P(GoldenLoss, LabelsAndExtraTexts) {
  const int64_t pairs = 7, width = 6;
  PlainLossInput plain;
  plain.image = unit_rows(pairs, width, 1).requires_grad_();
  plain.text = unit_rows(pairs, width, 2).requires_grad_();
  plain.extra_text = unit_rows(2 * pairs, width, 3).requires_grad_();
  plain.scale = at::full({}, 9.0).requires_grad_();
  plain.labels = at::tensor({4, 4, -1, -1, 2, 3, 2}, at::kLong);
  plain.extra_labels = at::tensor({4, -1, 9, 2, 4, -1, 3, 7, 7, -1, 2, 2, 0, 1}, at::kLong);
  const at::Tensor loss = plain_clip_loss(plain);
  loss.backward();
  const Whole whole = in_processes(size_, pairs, [&](int64_t a, int64_t b, Communicator& p) {
    return contrastive_loss({.image = plain.image.detach().slice(0, a, b),
                             .text = plain.text.detach().slice(0, a, b),
                             .scale = 9,
                             .labels = plain.labels.slice(0, a, b),
                             .extra_text = plain.extra_text.detach().slice(0, 2 * a, 2 * b),
                             .extra_labels = plain.extra_labels.slice(0, 2 * a, 2 * b)},
                            p);
  });
  EXPECT_NEAR(whole.loss, loss.item<double>(), 1e-5);
  expect_close(whole.image, plain.image.grad(), "image");
  expect_close(whole.text, plain.text.grad(), "text");
  expect_close(whole.extra, plain.extra_text.grad(), "extra");
  EXPECT_NEAR(whole.scale, plain.scale.grad().item<double>(), 1e-5);
}

TEST_P(GoldenLoss, ExtraTextsWithoutLabels) {
  const int64_t pairs = 7, width = 6;
  PlainLossInput plain;
  plain.image = unit_rows(pairs, width, 1).requires_grad_();
  plain.text = unit_rows(pairs, width, 2).requires_grad_();
  plain.extra_text = unit_rows(pairs, width, 3).requires_grad_();
  plain.scale = at::full({}, 9.0);
  const at::Tensor loss = plain_clip_loss(plain);
  loss.backward();
  const Whole whole = in_processes(size_, pairs, [&](int64_t a, int64_t b, Communicator& p) {
    return contrastive_loss({.image = plain.image.detach().slice(0, a, b),
                             .text = plain.text.detach().slice(0, a, b),
                             .scale = 9,
                             .extra_text = plain.extra_text.detach().slice(0, a, b)},
                            p);
  });
  EXPECT_NEAR(whole.loss, loss.item<double>(), 1e-5);
  expect_close(whole.image, plain.image.grad(), "image");
  expect_close(whole.text, plain.text.grad(), "text");
  expect_close(whole.extra, plain.extra_text.grad(), "extra");
}

INSTANTIATE_TEST_SUITE_P(Processes, GoldenLoss, testing::Values(1, 2, 4));

// More rows than one block holds, so that the borders of blocks are crossed.
TEST(BlockwiseLossTest, ManyBlocksEqualThePlainLoss) {
  const int64_t pairs = 3000, width = 16;
  ASSERT_GT(pairs, block_rows(pairs));
  PlainLossInput plain;
  plain.image = unit_rows(pairs, width, 1).requires_grad_();
  plain.text = unit_rows(pairs, width, 2).requires_grad_();
  plain.scale = at::full({}, 20.0).requires_grad_();
  const at::Tensor loss = plain_clip_loss(plain);
  loss.backward();
  Communicator alone;
  const at::Tensor image = plain.image.detach(), text = plain.text.detach();
  const LossGradient clip = contrastive_loss({.image = image, .text = text, .scale = 20}, alone);
  EXPECT_NEAR(clip.loss, loss.item<double>(), 1e-4);
  expect_close(clip.image, plain.image.grad(), "image");
  expect_close(clip.text, plain.text.grad(), "text");

  plain.image.mutable_grad().reset();
  plain.text.mutable_grad().reset();
  const at::Tensor z = 20 * at::matmul(plain.image, plain.text.t()) - 10;
  const at::Tensor sign = 2 * at::eye(pairs) - 1;
  const at::Tensor sigmoid = -at::log_sigmoid(sign * z).sum() / static_cast<double>(pairs);
  sigmoid.backward();
  const LossGradient ours = sigmoid_loss({image, text, 20, -10}, alone);
  EXPECT_NEAR(ours.loss, sigmoid.item<double>(), 1e-4 * sigmoid.item<double>());
  expect_close(ours.image, plain.image.grad(), "image");
  expect_close(ours.text, plain.text.grad(), "text");
}

// The most memory that the process has held since `forget_peak`.
int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// OPENCLIP_TEST_LOSS_PAIRS=65536 is the size that large clusters use; it takes minutes.
TEST(BlockwiseLossTest, MemoryIsThatOfTheFeatures) {
  const char* wish = std::getenv("OPENCLIP_TEST_LOSS_PAIRS");
  const int64_t pairs = wish != nullptr ? std::atoll(wish) : 8192, width = 512;
  const at::Tensor image = unit_rows(pairs, width, 1), text = unit_rows(pairs, width, 2);
  Communicator alone;
  contrastive_loss({.image = image.slice(0, 0, 64), .text = text.slice(0, 0, 64)}, alone);
  forget_peak();
  const int64_t before = peak_bytes();
  const LossGradient gradient =
      contrastive_loss({.image = image, .text = text, .scale = 14}, alone);
  EXPECT_GT(gradient.loss, 0);
  const int64_t added = peak_bytes() - before;
  RecordProperty("peak_mb", static_cast<int>(peak_bytes() >> 20));
  if (wish != nullptr) std::printf("%ld pairs: peak %ld MB\n", pairs, peak_bytes() >> 20);
  // Two gradients, and blocks of 8 MB; the matrix alone would be pairs * pairs * 4 bytes.
  const int64_t gradients = 2 * pairs * width * 4;
  EXPECT_LT(added, gradients + (int64_t{80} << 20));
}

}  // namespace
}  // namespace openclip::train
