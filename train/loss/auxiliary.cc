#include "loss/auxiliary.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace openclip::train {
namespace {

void add_parameter(TensorStore& store, const std::string& name, at::Tensor value) {
  store.add({name, value.set_requires_grad(true), /*trainable=*/true, /*optional=*/false});
}

at::Tensor normal(at::IntArrayRef shape, double deviation, uint64_t seed) {
  return at::empty(shape, at::kFloat).normal_(0, deviation, at::detail::createCPUGenerator(seed));
}

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

void ConceptTable::add_tensors(TensorStore& store, int64_t concepts, int64_t embed_dim,
                               uint64_t seed) {
  add_parameter(store, "aux.concept_table",
                normal({concepts, embed_dim}, 1 / std::sqrt(static_cast<double>(embed_dim)), seed));
  add_parameter(store, "aux.concept_scale", at::full({}, std::log(1 / 0.07), at::kFloat));
}

at::Tensor ConceptTable::loss(const TensorStore& store, const at::Tensor& image,
                              const at::Tensor& text, const at::Tensor& labels) {
  const at::Tensor scale = store.get("aux.concept_scale").clamp_max(std::log(100.0)).exp();
  const at::Tensor known = labels.ge(0).nonzero().squeeze(1);
  if (known.numel() == 0) return (image.sum() + text.sum()) * 0;
  const at::Tensor table = unit_rows(store.get("aux.concept_table"));
  const at::Tensor targets = labels.index_select(0, known);
  const auto side = [&](const at::Tensor& features) {
    const at::Tensor logits = scale * at::matmul(features.index_select(0, known), table.t());
    return at::cross_entropy_loss(logits, targets);
  };
  return (side(image) + side(text)) / 2;
}

at::Tensor ConceptTable::alignment(const TensorStore& store, const at::Tensor& text,
                                   const at::Tensor& labels) {
  const at::Tensor known = labels.ge(0).nonzero().squeeze(1);
  if (known.numel() == 0) return text.sum() * 0;
  const at::Tensor targets = unit_rows(
      store.get("aux.concept_table").detach().index_select(0, labels.index_select(0, known)));
  return (1 - (text.index_select(0, known) * targets).sum(1)).mean();
}

void HogHead::add_tensors(TensorStore& store, int64_t width, int64_t descriptor, uint64_t seed) {
  add_parameter(store, "aux.hog.weight",
                normal({descriptor, width}, 1 / std::sqrt(static_cast<double>(width)) / 10, seed));
  add_parameter(store, "aux.hog.bias", at::zeros({descriptor}, at::kFloat));
}

at::Tensor HogHead::loss(const TensorStore& store, const at::Tensor& pooled,
                         const at::Tensor& hog) {
  const at::Tensor predicted =
      at::linear(pooled, store.get("aux.hog.weight"), store.get("aux.hog.bias"));
  return (predicted - hog).square().sum(1).mean();
}

}  // namespace openclip::train
