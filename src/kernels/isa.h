// Which instruction set the kernels run on. Rank 1; the one place that reads OPENCLIP_FORCE_ISA.
#pragma once

#include <optional>
#include <string>

namespace openclip::kernels {

/// Instruction sets that kernels are compiled for, worst first. `generic` is SSE4 (or plain C++
/// where that is missing) on x86 and the compiler's baseline elsewhere.
enum class Isa { generic, avx2, avx512 };

/// What OPENCLIP_FORCE_ISA asks for (generic|avx2|avx512); nullopt when unset or empty.
/// Throws: InvalidArgument for any other value.
std::optional<Isa> forced_isa();

/// The set in use: the best that the processor has, capped by OPENCLIP_FORCE_ISA. The first call
/// decides for the whole process (Highway's and oneDNN's dispatch are process-wide).
/// Throws: as forced_isa.
Isa current_isa();

/// Instructions for products of narrow types that some AVX-512 processors have. Never with
/// OPENCLIP_FORCE_ISA, so that tests cover processors without them too.
struct DotProducts {
  bool int8 = false;  // VNNI
  bool bf16 = false;  // AVX512-BF16
};
DotProducts dot_products();

/// Name of the exact target in use, for logs and benchmarks: "avx512", "avx512-vnni",
/// "avx512-vnni-bf16", "avx2", "sse4", "scalar", ….
std::string isa_name();

}  // namespace openclip::kernels
