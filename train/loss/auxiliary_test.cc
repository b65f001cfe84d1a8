#include "loss/auxiliary.h"

#include <gtest/gtest.h>

namespace openclip::train {
namespace {

at::Tensor random_unit_rows(int64_t rows, int64_t columns, int seed) {
  at::manual_seed(seed);
  const at::Tensor x = at::randn({rows, columns});
  return x / x.norm(2, 1, true);
}

TEST(ConceptTableTest, IgnoresRowsWithoutLabel) {
  TensorStore store;
  ConceptTable::add_tensors(store, 5, 8, 1);
  const at::Tensor image = random_unit_rows(3, 8, 3), text = random_unit_rows(3, 8, 4);
  const double all = ConceptTable::loss(store, image.slice(0, 0, 2), text.slice(0, 0, 2),
                                        at::tensor({1, 4}, at::kLong))
                         .item<double>();
  EXPECT_NEAR(
      ConceptTable::loss(store, image, text, at::tensor({1, 4, -1}, at::kLong)).item<double>(), all,
      1e-6);
  const at::Tensor none = ConceptTable::loss(store, image, text, at::full({3}, -1, at::kLong));
  EXPECT_EQ(none.item<double>(), 0);
}

TEST(ConceptTableTest, AlignmentIsTheCosineDistanceToTheRow) {
  TensorStore store;
  ConceptTable::add_tensors(store, 5, 8, 1);
  const at::Tensor rows = store.get("aux.concept_table").detach();
  const at::Tensor unit = rows / rows.norm(2, 1, true);
  const at::Tensor own = at::tensor({3, 0, 2}, at::kLong);
  const at::Tensor text = unit.index_select(0, own).clone().set_requires_grad(true);
  EXPECT_NEAR(ConceptTable::alignment(store, text, own).item<double>(), 0, 1e-6);
  EXPECT_NEAR(ConceptTable::alignment(store, -text, own).item<double>(), 2, 1e-6);
  const at::Tensor labels = at::tensor({1, -1, 2}, at::kLong);
  const at::Tensor loss = ConceptTable::alignment(store, text, labels);
  const double expected = (1 - (unit[3] * unit[1]).sum().item<double>()) / 2;
  EXPECT_NEAR(loss.item<double>(), expected, 1e-6);
  loss.backward();
  EXPECT_FALSE(store.get("aux.concept_table").grad().defined());
  EXPECT_EQ(text.grad()[1].abs().max().item<double>(), 0);
  const at::Tensor none = ConceptTable::alignment(store, text, at::full({3}, -1, at::kLong));
  EXPECT_EQ(none.item<double>(), 0);
}

TEST(HogHeadTest, PerfectPredictionCostsNothing) {
  TensorStore store;
  HogHead::add_tensors(store, 4, 6, 1);
  const at::Tensor pooled = at::randn({2, 4});
  const at::Tensor target =
      at::linear(pooled, store.get("aux.hog.weight"), store.get("aux.hog.bias")).detach();
  EXPECT_EQ(HogHead::loss(store, pooled, target).item<double>(), 0);
  EXPECT_NEAR(HogHead::loss(store, pooled, target + 1).item<double>(), 6, 1e-4);
}

}  // namespace
}  // namespace openclip::train
