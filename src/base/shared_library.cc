#include "base/shared_library.h"

#include <dlfcn.h>

#include "base/error.h"

namespace openclip {

SharedLibrary::SharedLibrary(std::initializer_list<const char*> names, std::string missing)
    : missing_(std::move(missing)) {
  for (const char* name : names)
    if ((library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL)) != nullptr) return;
  throw Unsupported(missing_);
}

void* SharedLibrary::symbol(const char* name) const {
  if (void* symbol = dlsym(library_, name)) return symbol;
  throw Unsupported(
      fmt::format("the installed library is too old, it has no {}: {}", name, missing_));
}

}  // namespace openclip
