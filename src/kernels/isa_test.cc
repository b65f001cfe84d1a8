#include "kernels/isa.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdio>
#include <cstdlib>

#include "kernels/peak.h"
#include "kernels/simd/target.h"

namespace openclip::kernels {
namespace {

// ctest runs this binary once per instruction set; where the processor lacks the one asked for, the
// whole binary counts as skipped (exit code 77) instead of testing another set under its name.
class ForcedIsa : public testing::Environment {
 public:
  void SetUp() override {
    const std::optional<Isa> forced = forced_isa();
    if (!forced || *forced == current_isa()) return;
    std::printf("SKIPPED: this processor lacks %s (best: %s)\n", std::getenv("OPENCLIP_FORCE_ISA"),
                isa_name().c_str());
    std::fflush(stdout);
    std::_Exit(77);
  }
};

[[maybe_unused]] testing::Environment* const kForcedIsa =
    testing::AddGlobalTestEnvironment(new ForcedIsa);

TEST(IsaTest, NamesTheTargetInUse) {
  const std::string name = isa_name();
  EXPECT_EQ(name.starts_with("avx512"), current_isa() == Isa::avx512);
  EXPECT_EQ(name.find("vnni") != std::string::npos, dot_products().int8);
  EXPECT_EQ(name.find("bf16") != std::string::npos, dot_products().bf16);
  EXPECT_EQ(name == "avx2", current_isa() == Isa::avx2);
}

// What is forced must be what runs, not only what is said to run.
TEST(IsaTest, KernelsAreOfTheSetInUse) {
  const int64_t target = chosen_target();
  EXPECT_EQ((target & (HWY_AVX3 | HWY_AVX3_DL)) != 0, current_isa() == Isa::avx512);
  EXPECT_EQ((target & HWY_AVX2) != 0, current_isa() == Isa::avx2);
}

TEST(IsaTest, AForcedSetHasNoDotProducts) {
  if (!forced_isa()) GTEST_SKIP() << "no set is forced";
  EXPECT_FALSE(dot_products().int8 || dot_products().bf16);
}

TEST(PeakTest, IsPlausible) {
  const double peak = measure_peak_gflops(1, 10);
  EXPECT_GT(peak, 0.05);
  EXPECT_LT(peak, 2000);
}

}  // namespace
}  // namespace openclip::kernels
