#include <algorithm>
#include <array>

#include "io/torch_values.h"

namespace openclip {
namespace {

struct Named {
  std::string_view name;
  DType dtype;
};

constexpr std::array kStorages = {
    Named{"DoubleStorage", DType::f64}, Named{"FloatStorage", DType::f32},
    Named{"HalfStorage", DType::f16},   Named{"BFloat16Storage", DType::bf16},
    Named{"LongStorage", DType::i64},   Named{"IntStorage", DType::i32},
    Named{"ShortStorage", DType::i16},  Named{"CharStorage", DType::i8},
    Named{"ByteStorage", DType::u8},    Named{"BoolStorage", DType::boolean}};

constexpr std::string_view kRebuild = "torch._utils._rebuild_";

// Plain data; none of it is built.
constexpr std::array<std::string_view, 34> kPlain = {"argparse.Namespace",
                                                     "types.SimpleNamespace",
                                                     "collections.OrderedDict",
                                                     "collections.defaultdict",
                                                     "collections.Counter",
                                                     "torch.Size",
                                                     "torch.device",
                                                     "torch.Tensor",
                                                     "torch.nn.parameter.Parameter",
                                                     "torch.serialization._get_layout",
                                                     "_codecs.encode",
                                                     "numpy.dtype",
                                                     "numpy.ndarray",
                                                     "numpy.core.multiarray.scalar",
                                                     "numpy.core.multiarray._reconstruct",
                                                     "numpy._core.multiarray.scalar",
                                                     "numpy._core.multiarray._reconstruct",
                                                     "datetime.datetime",
                                                     "datetime.timedelta",
                                                     "pathlib.Path",
                                                     "pathlib.PosixPath",
                                                     "pathlib.WindowsPath",
                                                     "pathlib.PurePosixPath",
                                                     "torch.float64",
                                                     "torch.float32",
                                                     "torch.float16",
                                                     "torch.bfloat16",
                                                     "torch.int64",
                                                     "torch.int32",
                                                     "torch.int16",
                                                     "torch.int8",
                                                     "torch.uint8",
                                                     "torch.bool",
                                                     "torch.storage.UntypedStorage"};
constexpr std::array<std::string_view, 14> kBuiltins = {
    "set",       "frozenset", "dict", "list",  "tuple", "str",     "bytes",
    "bytearray", "int",       "long", "float", "bool",  "complex", "slice"};

bool remove_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<DType> storage_type(std::string_view global) {
  if (!remove_prefix(global, "torch.cuda.") && !remove_prefix(global, "torch."))
    return std::nullopt;
  for (const Named& known : kStorages)
    if (known.name == global) return known.dtype;
  return std::nullopt;
}

}  // namespace

bool is_torch_global(std::string_view name, bool in_script) {
  if (contains(kPlain, name) || storage_type(name) || name == kRebuildFromType) return true;
  if (name.starts_with(kRebuild) && name.find('.', kRebuild.size()) == std::string_view::npos)
    return true;
  if (in_script && (name.starts_with("__torch__.") || name.starts_with("torch.jit._pickle.")))
    return true;
  return (remove_prefix(name, "builtins.") || remove_prefix(name, "__builtin__.")) &&
         contains(kBuiltins, name);
}

// ('storage', type, key, location, element count[, (key, first element, element count)]).
std::optional<TorchStorage> torch_storage(const Pickle& pickle, const PickleNode& node) {
  if (node.kind != PickleKind::reference) return std::nullopt;
  const PickleNode& id = pickle[node.args];
  if (id.kind != PickleKind::tuple || id.items.size() < 5) return std::nullopt;
  const auto item = [&](size_t i) -> const PickleNode& { return pickle[id.items[i]]; };
  const auto dtype = storage_type(item(1).kind == PickleKind::global ? item(1).text : "");
  if (item(0).text != "storage" || !dtype || item(2).kind != PickleKind::text ||
      item(4).kind != PickleKind::integer || item(4).integer < 0)
    return std::nullopt;
  TorchStorage storage{
      .key = item(2).text, .dtype = *dtype, .count = static_cast<uint64_t>(item(4).integer)};
  storage.used = storage.count;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(storage.count, uint64_t{dtype_size(*dtype)}, &bytes))
    return std::nullopt;
  if (id.items.size() > 5 && item(5).kind == PickleKind::tuple) {
    const std::vector<PickleId>& view = item(5).items;
    if (view.size() != 3 || pickle[view[1]].kind != PickleKind::integer ||
        pickle[view[2]].kind != PickleKind::integer)
      return std::nullopt;
    storage.first = static_cast<uint64_t>(pickle[view[1]].integer);
    storage.used = static_cast<uint64_t>(pickle[view[2]].integer);
    if (storage.first > storage.count || storage.used > storage.count - storage.first)
      return std::nullopt;
  }
  return storage;
}

}  // namespace openclip
