#include "models/towers/box_head.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace openclip {
namespace {

// logit(x) with both sides kept off zero, as OWL has it.
float guarded_logit(double x) {
  return static_cast<float>(std::log(x + 1e-4) - std::log1p(-x + 1e-4));
}

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

float elu(float x) { return x > 0 ? x : std::expm1(x); }

double dot(const float* a, const float* b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// Each row / (its length + 1e-6).
Tensor directions(ConstMatrix rows) {
  Tensor out{Shape{rows.rows, rows.cols}};
  for (int64_t i = 0; i < rows.rows; ++i) {
    const double length = std::sqrt(dot(rows.row(i), rows.row(i), rows.cols)) + 1e-6;
    for (int64_t c = 0; c < rows.cols; ++c)
      out.data()[i * rows.cols + c] = static_cast<float>(rows.row(i)[c] / length);
  }
  return out;
}

Matrix view(Tensor& tensor) { return {tensor.data(), tensor.shape()[0], tensor.shape()[1]}; }

struct Corners {
  double x0, y0, x1, y1;
  double area() const { return (x1 - x0) * (y1 - y0); }
};

Corners corners_of(const float* box) {
  return {box[0] - 0.5 * box[2], box[1] - 0.5 * box[3], box[0] + 0.5 * box[2],
          box[1] + 0.5 * box[3]};
}

// Intersection over union of a box and the whole picture; in `generalized`, less the part of the
// box around both that neither covers.
double picture_overlap(const Corners& box, double* generalized) {
  const double width = std::max(0.0, std::min(1.0, box.x1) - std::max(0.0, box.x0));
  const double height = std::max(0.0, std::min(1.0, box.y1) - std::max(0.0, box.y0));
  const double both = 1 + box.area() - width * height, overlap = width * height / both;
  const Corners around{std::min(0.0, box.x0), std::min(0.0, box.y0), std::max(1.0, box.x1),
                       std::max(1.0, box.y1)};
  *generalized = overlap - (around.area() - both) / around.area();
  return overlap;
}

}  // namespace

BoxHead::Perceptron BoxHead::Perceptron::load(const Context& context, const Weights& weights,
                                              const std::string& name) {
  return {weights.linear(context, name + ".dense0"), weights.linear(context, name + ".dense1"),
          weights.linear(context, name + ".dense2")};
}

void BoxHead::Perceptron::run(const Context& context, ConstMatrix x, Matrix out) const {
  Tensor first{Shape{x.rows, dense0.out()}}, second{Shape{x.rows, dense1.out()}};
  linear(context, x, dense0, view(first), {.op = UnaryOp::gelu});
  linear(context, view(first), dense1, view(second), {.op = UnaryOp::gelu});
  linear(context, view(second), dense2, out);
}

BoxHead::BoxHead(const Context& context, const Weights& weights, const ModelConfig& config)
    : grid_(config.vision.grid()),
      class_embed_(weights.linear(context, "class_head.dense0")),
      logit_shift_(weights.linear(context, "class_head.logit_shift")),
      logit_scale_(weights.linear(context, "class_head.logit_scale")),
      box_(Perceptron::load(context, weights, "box_head")),
      norm_(NormWeights::load(context, weights, "layer_norm", config.vision.norm_eps)) {
  if (config.boxes == BoxHeads::owlv2)
    objectness_ = Perceptron::load(context, weights, "objectness_head");
}

Tensor BoxHead::patches(const Context& context, const VitTower& tower, const float* pixels) const {
  const int64_t width = class_embed_.in();
  Tensor tokens{Shape{tower.tokens(), width}}, x{Shape{tower.tokens() - 1, width}};
  tower.encode_tokens(context, pixels, {}, view(tokens));
  for (int64_t i = 0; i < x.shape()[0]; ++i)
    for (int64_t c = 0; c < width; ++c)
      x.data()[i * width + c] = tokens.data()[(i + 1) * width + c] * tokens.data()[c];
  norm_.apply(context, view(x), view(x));
  return x;
}

std::vector<float> BoxHead::boxes(const Context& context, ConstMatrix x) const {
  std::vector<float> out(static_cast<size_t>(x.rows) * 4);
  box_.run(context, x, {out.data(), x.rows, 4});
  const auto side = static_cast<double>(grid_);
  const float size_bias = guarded_logit(1 / side);
  for (int64_t i = 0; i < x.rows; ++i) {
    float* box = &out[static_cast<size_t>(i) * 4];
    const float bias[4] = {guarded_logit(static_cast<double>(i % grid_ + 1) / side),
                           guarded_logit(static_cast<double>(i / grid_ + 1) / side), size_bias,
                           size_bias};
    for (int c = 0; c < 4; ++c) box[c] = sigmoid(box[c] + bias[c]);
  }
  return out;
}

BoxPredictions BoxHead::predict(const Context& context, const VitTower& tower, const float* pixels,
                                ConstMatrix queries) const {
  check_arg(queries.rows > 0 && queries.cols == class_embed_.out(),
            "[predict_boxes] queries must be [n, {}], got {}", class_embed_.out(),
            queries.shape_str());
  Tensor x = patches(context, tower, pixels);
  const int64_t count = x.shape()[0];
  BoxPredictions out;
  out.boxes = boxes(context, view(x));
  Tensor embeds{Shape{count, class_embed_.out()}}, shift{Shape{count, 1}}, scale{Shape{count, 1}};
  linear(context, view(x), class_embed_, view(embeds));
  linear(context, view(x), logit_shift_, view(shift));
  linear(context, view(x), logit_scale_, view(scale));
  const Tensor asked = directions(queries), shown = directions(view(embeds));
  const Linear product(context, asked.span(), {}, {queries.cols, queries.rows});
  out.logits.resize(static_cast<size_t>(count * queries.rows));
  linear(context, shown.matrix(), product, {out.logits.data(), count, queries.rows});
  for (int64_t i = 0; i < count; ++i)
    for (int64_t q = 0; q < queries.rows; ++q) {
      float& logit = out.logits[static_cast<size_t>(i * queries.rows + q)];
      logit = (logit + shift.data()[i]) * (elu(scale.data()[i]) + 1);
    }
  if (objectness_) {
    out.objectness.resize(static_cast<size_t>(count));
    objectness_->run(context, view(x), {out.objectness.data(), count, 1});
  }
  return out;
}

std::vector<float> BoxHead::query(const Context& context, const VitTower& tower,
                                  const float* pixels) const {
  Tensor x = patches(context, tower, pixels);
  const int64_t count = x.shape()[0], dim = class_embed_.out();
  Tensor embeds{Shape{count, dim}};
  linear(context, view(x), class_embed_, view(embeds));
  const std::vector<float> predicted = boxes(context, view(x));
  std::vector<double> overlap(static_cast<size_t>(count)), generalized(overlap);
  for (size_t i = 0; i < overlap.size(); ++i)
    overlap[i] = picture_overlap(corners_of(&predicted[4 * i]), &generalized[i]);
  double most = *std::max_element(overlap.begin(), overlap.end());
  if (most == 0) {
    overlap = generalized;
    most = *std::max_element(overlap.begin(), overlap.end());
  }
  std::vector<float> mean(static_cast<size_t>(dim));
  for (int64_t c = 0; c < dim; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += embeds.data()[i * dim + c];
    mean[static_cast<size_t>(c)] = static_cast<float>(sum / static_cast<double>(count));
  }
  // Of the boxes that cover nearly as much as the best, the one least like the whole.
  int64_t best = -1;
  double least = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (overlap[static_cast<size_t>(i)] < 0.8 * most) continue;
    const double likeness = dot(mean.data(), embeds.data() + i * dim, dim);
    if (best < 0 || likeness < least) best = i, least = likeness;
  }
  if (best < 0)  // 0.8 of a negative number is more than it
    best = std::max_element(overlap.begin(), overlap.end()) - overlap.begin();
  const float* row = embeds.data() + best * dim;
  return {row, row + dim};
}

}  // namespace openclip
