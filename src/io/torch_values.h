// What the pickle of a PyTorch file means: storages, tensors, state_dicts, TorchScript modules.
// Part of rank 3. Source: torch/_utils.py, torch/serialization.py,
// torch/csrc/jit/serialization/pickler.cpp.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/lazy_tensor.h"
#include "io/pickle.h"

namespace openclip {

/// _rebuild_from_type_v2(function, type, arguments, state): a tensor with attributes of its own.
inline constexpr std::string_view kRebuildFromType = "torch._tensor._rebuild_from_type_v2";

/// Whether a list of globals holds `name`.
template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// The globals that a PyTorch checkpoint may name: those that rebuild tensors, and plain data that
/// is looked past (argparse.Namespace, numpy scalars, …). TorchScript's own classes only
/// `in_script`.
bool is_torch_global(std::string_view name, bool in_script);

/// A storage as a tensor's pickle names it.
struct TorchStorage {
  std::string_view key;
  DType dtype = DType::u8;
  uint64_t count = 0;  // elements
  uint64_t first = 0;  // of a view into another storage (files before PyTorch 0.4)
  uint64_t used = 0;   // elements of that view; else count
};

/// Nullopt if the node is no reference to a storage of a known type.
std::optional<TorchStorage> torch_storage(const Pickle& pickle, const PickleNode& node);

/// Finds the bytes of a storage: all of its `count` elements. Throws: ParseError.
using FindStorage = std::function<std::span<const uint8_t>(const TorchStorage&)>;

/// The tensors of the state_dict in `pickle`: its root, or what lies under state_dict, model,
/// state_dict_ema, model_state_dict or module; of a TorchScript module all tensors among its nested
/// attributes under dotted names. Other values (epoch, optimizer, arguments) are looked past.
/// Each tensor keeps `holder` alive. Throws: ParseError for tensors that do not lie in their
/// storage, nested attributes beyond all bounds and files without tensors; Unsupported for other
/// types.
LazyTensors torch_tensors(const std::string& source, const Pickle& pickle,
                          const FindStorage& find_storage, std::shared_ptr<const void> holder);

}  // namespace openclip
