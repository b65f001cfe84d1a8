#include "tensor/convert.h"

#include <cstring>
#include <vector>

#include "base/half.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

TEST(ToFloatTest, ConvertsEachTypeFromAnyAddress) {
  const std::vector<float> values = {0, 1, -2.5f, 0.125f, 1024};
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    std::vector<uint8_t> bytes(1 + values.size() * dtype_size(dtype));
    for (size_t i = 0; i < values.size(); ++i) {
      uint8_t* to = &bytes[1 + i * dtype_size(dtype)];
      const uint16_t half = dtype == DType::f16 ? f32_to_f16(values[i]) : f32_to_bf16(values[i]);
      if (dtype == DType::f32)
        std::memcpy(to, &values[i], 4);
      else
        std::memcpy(to, &half, 2);
    }
    std::vector<float> got(values.size());
    to_float(Context(2), dtype, std::span(bytes).subspan(1), got);
    EXPECT_EQ(got, values) << dtype_name(dtype);
  }
}

TEST(ToFloatTest, RejectsOtherTypesAndLengths) {
  std::vector<uint8_t> bytes(8);
  std::vector<float> out(2);
  EXPECT_THROW(to_float(Context(1), DType::i32, bytes, out), Unsupported);
  EXPECT_EQ(rejection([&] { to_float(Context(1), DType::f16, bytes, out); }),
            "[to_float] 2 elements of f16 need 4 bytes, got 8");
}

}  // namespace
}  // namespace openclip
