// Any bytes as a pickle: values that refer to each other, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/pickle.h"
#include "io/torch_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using openclip::PickleNode;
  try {
    size_t end = 0;
    const openclip::Pickle pickle(
        "fuzz", {data, size},
        [](std::string_view name) { return openclip::is_torch_global(name, true); }, &end);
    if (end > size || pickle.root() >= pickle.nodes().size()) std::abort();
    for (const PickleNode& node : pickle.nodes()) {
      for (const openclip::PickleId id : node.items)
        if (id >= pickle.nodes().size()) std::abort();
      openclip::torch_storage(pickle, node);
    }
  } catch (const openclip::Error&) {
  }
  return 0;
}
