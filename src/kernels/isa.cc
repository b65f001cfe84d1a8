#include "kernels/isa.h"

#include <hwy/targets.h>

#include <algorithm>
#include <string>

#include "base/environment.h"
#include "base/error.h"
#include "kernels/simd/target.h"

namespace openclip::kernels {
namespace {

// Highway numbers targets so that a lower bit is a better one: everything below `least` is better.
constexpr int64_t better_than(int64_t least) { return least - 1; }

Isa select() {
  if (const std::optional<Isa> cap = forced_isa()) {
    if (*cap == Isa::generic) hwy::DisableTargets(better_than(HWY_SSE4));
    if (*cap == Isa::avx2) hwy::DisableTargets(better_than(HWY_AVX2));
  }
  // Highway 1.0's SupportedTargets() chooses the best target again, disabled or not, each time that
  // it is called: the choice comes after it, and nothing else may ask.
  const int64_t supported = hwy::SupportedTargets();
  hwy::GetChosenTarget().Update(supported);
  if (supported & (HWY_AVX3 | HWY_AVX3_DL)) return Isa::avx512;
  return supported & HWY_AVX2 ? Isa::avx2 : Isa::generic;
}

DotProducts select_dot_products() {
#if HWY_ARCH_X86
  if (current_isa() == Isa::avx512 && !forced_isa())
    return {.int8 = __builtin_cpu_supports("avx512vnni") != 0,
            .bf16 = __builtin_cpu_supports("avx512bf16") != 0};
#endif
  return {};
}

}  // namespace

std::optional<Isa> forced_isa() {
  const std::string name = environment("OPENCLIP_FORCE_ISA");
  if (name.empty()) return std::nullopt;
  if (name == "generic") return Isa::generic;
  if (name == "avx2") return Isa::avx2;
  if (name == "avx512") return Isa::avx512;
  throw InvalidArgument(
      fmt::format("OPENCLIP_FORCE_ISA must be generic, avx2 or avx512, got '{}'", name));
}

Isa current_isa() {
  static const Isa isa = select();
  return isa;
}

DotProducts dot_products() {
  static const DotProducts found = select_dot_products();
  return found;
}

std::string isa_name() {
  switch (current_isa()) {
    case Isa::avx512:
      return std::string("avx512") + (dot_products().int8 ? "-vnni" : "") +
             (dot_products().bf16 ? "-bf16" : "");
    case Isa::avx2:
      return "avx2";
    case Isa::generic:
      break;
  }
  std::string name = hwy::TargetName(chosen_target());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

}  // namespace openclip::kernels
