#include "tensor/shape.h"

#include "tensor/tensor.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

TEST(ShapeTest, CountsAndPrints) {
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).elements(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).elements(), 0);
  EXPECT_EQ((Shape{2, 3}).str(), "[2, 3]");
  EXPECT_EQ(Shape().str(), "[]");
}

TEST(ShapeTest, RefusesOverflowAndNegatives) {
  EXPECT_THROW((Shape{int64_t{1} << 40, int64_t{1} << 40}).elements(), InvalidArgument);
  EXPECT_THROW((Shape{-1, 2}).elements(), InvalidArgument);
}

TEST(TensorTest, LargeAndSmallBuffersAreAligned) {
  for (const int64_t count : {1, 100, 600000}) {
    const Tensor tensor(Shape{count});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
    EXPECT_EQ(tensor.elements(), count);
  }
}

TEST(MatrixTest, ViewsPartsOfAMatrix) {
  float data[24];
  for (int i = 0; i < 24; ++i) data[i] = static_cast<float>(i);
  const Matrix whole(data, 4, 6);
  EXPECT_EQ(*whole.row_range(2, 2).row(1), 18);
  EXPECT_EQ(*whole.columns(4, 2).row(3), 22);
  EXPECT_EQ(*whole.row_range(1, 1).every(2, 2).row(1), 18);
  EXPECT_EQ(whole.columns(4, 2).shape_str(), "[4, 2]");
}

}  // namespace
}  // namespace openclip
