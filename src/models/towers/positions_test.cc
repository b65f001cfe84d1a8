// Resized positions against torch's, as open_clip and timm call it (tools/goldens/positions.py).
#include "models/towers/positions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "io/safetensors.h"
#include "models/config/sin_cos.h"

namespace openclip {
namespace {

SafetensorsFile golden() {
  return SafetensorsFile::open(std::string(OPENCLIP_SOURCE_DIR) +
                               "/tests/golden/positions.safetensors");
}

Tensor read(const SafetensorsFile& file, const std::string& name) {
  const TensorView& view = file.tensor(name);
  Tensor out{Shape(view.shape)};
  std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
  return out;
}

// torch computes the centre of each window in f32, so the weights are off by about as many
// roundings as there are positions on an axis; a sum of up to `rows` products adds as many again,
// in two passes.
void expect_near(const Tensor& got, const Tensor& want, int64_t axis, const std::string& name) {
  ASSERT_EQ(got.shape(), want.shape()) << name;
  const double tolerance =
      std::numeric_limits<float>::epsilon() * 4 * static_cast<double>(axis) * 4;
  for (int64_t i = 0; i < got.elements(); ++i)
    ASSERT_NEAR(got.data()[i], want.data()[i], tolerance) << name << " element " << i;
}

TEST(PositionsTest, EqualTorch) {
  const SafetensorsFile file = golden();
  int cases = 0;
  for (const auto& [name, view] : file.tensors()) {
    if (!name.ends_with(".in")) continue;
    const std::string stem = name.substr(0, name.size() - 3);
    const Tensor in = read(file, name), want = read(file, stem + ".out");
    const int64_t rows = want.matrix().rows;
    const bool text = stem.starts_with("text");
    const int64_t prefix = stem.starts_with("grid") ? 1 : 0;
    const Tensor got = text ? resize_text_positions(in, rows)
                            : resize_grid_positions(in, prefix, square_root(rows - prefix));
    expect_near(got, want, std::max<int64_t>(37, text ? rows : 0), stem);
    ++cases;
  }
  EXPECT_EQ(cases, 15);
}

TEST(PositionsTest, SinCosEqualsOpenClip) {
  const Tensor want = read(golden(), "sin_cos_4");
  const std::vector<float> got = sin_cos_positions(4, 12);
  ASSERT_EQ(static_cast<int64_t>(got.size()), want.elements());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want.data()[i], 1e-7) << i;
  EXPECT_THROW(sin_cos_positions(4, 10), InvalidArgument);
}

TEST(PositionsTest, RefusesWhatIsNoGrid) {
  const Tensor positions{Shape{8, 4}};
  EXPECT_THROW(resize_grid_positions(positions, 1, 5), InvalidArgument);
  EXPECT_THROW(resize_text_positions(positions, 0), InvalidArgument);
  EXPECT_EQ(square_root(8), -1);
  EXPECT_EQ(square_root(49), 7);
}

}  // namespace
}  // namespace openclip
