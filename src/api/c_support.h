// What the functions of the C API share: handles, and exceptions turned into codes. Rank 6.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "api/translate.h"
#include "base/error.h"
#include "openclip/error.h"
#include "openclip/model.h"
#include "openclip/openclip.h"
#include "openclip/preprocess.h"
#include "openclip/tokenizer.h"
#include "openclip/zero_shot.h"

struct openclip_model {
  openclip::v0::Model model;
};
struct openclip_preprocess {
  openclip::v0::Preprocess preprocess;
};
struct openclip_tokenizer {
  openclip::v0::Tokenizer tokenizer;
};
struct openclip_classifier {
  openclip::v0::ZeroShotClassifier classifier;
};

namespace openclip::capi {

/// Keeps the exception that is being handled as this thread's last error and returns its code.
openclip_status keep_error() noexcept;

/// Calls `fn`; whatever it throws becomes a code.
template <class Fn>
openclip_status guarded(Fn&& fn) noexcept {
  try {
    v0::translated(std::forward<Fn>(fn));
    return OPENCLIP_OK;
  } catch (...) {
    return keep_error();
  }
}

inline void check_pointer(const void* pointer, const char* name) {
  check_arg(pointer != nullptr, "{} must not be NULL", name);
}

/// NULL is the empty string.
inline std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

/// `from` as this version knows the struct: a caller's shorter one is filled up with zeros, a
/// longer one is refused only if it sets something in the part that is not known here.
template <class Struct>
Struct versioned(const Struct& from, const char* name) {
  Struct known{};
  constexpr size_t kMost = size_t{1} << 12;
  check_arg(from.struct_size >= sizeof from.struct_size && from.struct_size <= kMost,
            "{}.struct_size must be sizeof({}), got {}", name, name, from.struct_size);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&from);
  for (size_t i = sizeof known; i < from.struct_size; ++i)
    if (bytes[i] != 0)
      throw v0::Unsupported(std::string(name) + " sets a field that this version does not have");
  std::memcpy(&known, bytes, std::min(sizeof known, from.struct_size));
  return known;
}

}  // namespace openclip::capi
