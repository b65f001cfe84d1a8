#include "io/torch_values.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace openclip {
namespace {

constexpr size_t kMaxDimensions = 64;
constexpr size_t kMaxDepth = 64;         // of TorchScript's nested modules
constexpr size_t kMaxVisited = 1 << 20;  // attributes looked at
constexpr size_t kMaxTensors = 1 << 17;
// A copy may be larger than what is stored (expanded tensors repeat elements), but not by much.
constexpr uint64_t kMaxExpandedBytes = uint64_t{1} << 24;

// Rebuilds a tensor from its first argument, which is one already.
constexpr std::array<std::string_view, 2> kRebuildParameter = {
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"};
constexpr std::array<std::string_view, 2> kRebuildTensor = {"torch._utils._rebuild_tensor",
                                                            "torch._utils._rebuild_tensor_v2"};

// Where training programs put the weights, in the order they are looked for.
constexpr std::array<std::string_view, 5> kStateKeys = {"state_dict", "model", "state_dict_ema",
                                                        "model_state_dict", "module"};

class Reader {
 public:
  Reader(const std::string& source, const Pickle& pickle, const FindStorage& find_storage,
         std::shared_ptr<const void> holder)
      : source_(source), pickle_(pickle), find_storage_(find_storage), holder_(std::move(holder)) {}

  LazyTensors read() {
    const PickleNode& root = pickle_[pickle_.root()];
    if (is_script_object(root)) {
      read_script(root);
    } else {
      const PickleNode* state = find_state(root);
      if (state == nullptr) fail_without_tensors(root);
      each_entry(*state, [&](std::string_view key, const PickleNode& value) {
        if (is_tensor(value)) add(std::string(key), value);
      });
    }
    if (tensors_.empty()) fail_without_tensors(root);
    return std::move(tensors_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw ParseError(source_, problem); }

  [[noreturn]] void fail_without_tensors(const PickleNode& root) const {
    std::vector<std::string> keys;
    each_entry(root, [&](std::string_view key, const PickleNode&) {
      if (keys.size() < 10) keys.push_back(quotable(key));
    });
    fail(keys.empty()
             ? "holds no tensors"
             : fmt::format("holds no state_dict; its entries are {}", fmt::join(keys, ", ")));
  }

  std::string_view callable(const PickleNode& node) const {
    if (node.kind != PickleKind::object) return {};
    return pickle_[node.callable].text;
  }

  bool is_script_object(const PickleNode& node) const {
    return callable(node).starts_with("__torch__.") && node.state != PickleNode::kNothing;
  }

  bool is_tensor(const PickleNode& node) const {
    const std::string_view name = callable(node);
    return name.starts_with("torch._utils._rebuild_") || name == kRebuildFromType;
  }

  bool is_dict(const PickleNode& node) const {
    return node.kind == PickleKind::dict || callable(node) == "collections.OrderedDict" ||
           callable(node) == "collections.defaultdict";
  }

  // Entries of a dict whose keys are texts.
  template <class Use>
  void each_entry(const PickleNode& node, Use&& use) const {
    if (!is_dict(node)) return;
    if (callable(node) == "collections.OrderedDict") {  // OrderedDict([[key, value], …])
      const PickleNode& args = pickle_[node.args];
      if (args.items.size() == 1)
        for (const PickleId id : pickle_[args.items[0]].items)
          if (const PickleNode& pair = pickle_[id]; pair.items.size() == 2)
            use_entry(pair.items, 0, use);
    }
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) use_entry(node.items, i, use);
  }

  template <class Use>
  void use_entry(const std::vector<PickleId>& items, size_t i, Use&& use) const {
    const PickleNode& key = pickle_[items[i]];
    if (key.kind == PickleKind::text) use(key.text, pickle_[items[i + 1]]);
  }

  bool has_tensors(const PickleNode& node) const {
    bool found = false;
    each_entry(node, [&](std::string_view, const PickleNode& value) { found |= is_tensor(value); });
    return found;
  }

  // open_clip takes what lies under "state_dict" whatever lies beside it.
  const PickleNode* find_state(const PickleNode& root) const {
    for (const std::string_view wanted : kStateKeys) {
      const PickleNode* found = nullptr;
      each_entry(root, [&](std::string_view key, const PickleNode& value) {
        if (key == wanted) found = &value;
      });
      if (found != nullptr && has_tensors(*found)) return found;
      if (wanted == kStateKeys[0] && has_tensors(root)) return &root;
    }
    return nullptr;
  }

  // Nested attributes without recursion; one object may be reached on many ways, so what is looked
  // at is counted.
  void read_script(const PickleNode& root) {
    struct Level {
      const PickleNode* module;
      std::string prefix;
      size_t depth;
    };
    std::vector<Level> open = {{&root, "", 0}};
    size_t visited = 0;
    while (!open.empty()) {
      const Level level = std::move(open.back());
      open.pop_back();
      if (level.depth > kMaxDepth) fail("its modules nest deeper than any model");
      each_entry(pickle_[level.module->state], [&](std::string_view key, const PickleNode& value) {
        if (++visited > kMaxVisited) fail("its modules hold more attributes than any model");
        if (is_tensor(value))
          add(level.prefix + std::string(key), value);
        else if (is_script_object(value))
          open.push_back({&value, level.prefix + std::string(key) + ".", level.depth + 1});
      });
    }
  }

  void add(std::string name, const PickleNode& node) {
    if (tensors_.size() == kMaxTensors) fail("holds more tensors than any model");
    LazyTensor tensor = decode(name, callable(node), pickle_[node.args], 0);
    tensors_.insert_or_assign(std::move(name), std::move(tensor));
  }

  [[noreturn]] void fail_tensor(const std::string& name, const std::string& problem) const {
    fail(fmt::format("tensor '{}' {}", quotable(name), problem));
  }

  const PickleNode& item(const std::string& name, const PickleNode& args, size_t i) const {
    if (i >= args.items.size()) fail_tensor(name, "lacks an argument");
    return pickle_[args.items[i]];
  }

  // Calls `function` with `args` in thought only.
  LazyTensor decode(const std::string& name, std::string_view function, const PickleNode& args,
                    int depth) const {
    if (depth > 4) fail_tensor(name, "is wrapped too often");
    if (contains(kRebuildTensor, function)) return decode_view(name, args);
    if (contains(kRebuildParameter, function)) {
      const PickleNode& inner = item(name, args, 0);
      if (inner.kind != PickleKind::object) fail_tensor(name, "is a parameter without a tensor");
      return decode(name, callable(inner), pickle_[inner.args], depth + 1);
    }
    if (function == kRebuildFromType)
      return decode(name, item(name, args, 0).text, item(name, args, 2), depth + 1);
    throw Unsupported(
        fmt::format("{}: tensor '{}' is rebuilt by '{}', which is not supported "
                    "(quantised, sparse or of another type)",
                    source_, quotable(name), quotable(function)));
  }

  uint64_t natural(const std::string& name, const PickleNode& node, const char* what) const {
    if (node.kind != PickleKind::integer || node.integer < 0)
      fail_tensor(name, fmt::format("has a {} that is no natural number", what));
    return static_cast<uint64_t>(node.integer);
  }

  std::vector<int64_t> naturals(const std::string& name, const PickleNode& given,
                                const char* what) const {
    // torch.Size((2, 3)) or a tuple
    const PickleNode* node = &given;
    if (callable(*node) == "torch.Size") node = &item(name, pickle_[node->args], 0);
    if ((node->kind != PickleKind::tuple && node->kind != PickleKind::list) ||
        node->items.size() > kMaxDimensions)
      fail_tensor(name, fmt::format("has no {}", what));
    std::vector<int64_t> out;
    for (const PickleId id : node->items)
      out.push_back(static_cast<int64_t>(natural(name, pickle_[id], what)));
    return out;
  }

  // (storage, offset, size, strides, …), counted in elements.
  LazyTensor decode_view(const std::string& name, const PickleNode& args) const {
    const auto storage = torch_storage(pickle_, item(name, args, 0));
    if (!storage) fail_tensor(name, "has no storage of a known type");
    const uint64_t offset = natural(name, item(name, args, 1), "offset");
    const std::vector<int64_t> shape = naturals(name, item(name, args, 2), "size");
    const std::vector<int64_t> strides = naturals(name, item(name, args, 3), "stride");
    if (shape.size() != strides.size()) fail_tensor(name, "has no stride for each dimension");
    const size_t size = dtype_size(storage->dtype);
    uint64_t count = 1, last = offset;  // elements; the highest index
    bool overflows = false;
    for (size_t i = 0; i < shape.size(); ++i) {
      const auto extent = static_cast<uint64_t>(shape[i]);
      uint64_t step = 0;
      overflows |= __builtin_mul_overflow(count, extent, &count);
      if (extent == 0) continue;
      overflows |= __builtin_mul_overflow(extent - 1, static_cast<uint64_t>(strides[i]), &step);
      overflows |= __builtin_add_overflow(last, step, &last);
    }
    const bool is_empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    if (is_empty) return LazyTensor({storage->dtype, shape, {}}, holder_);
    if (overflows || last >= storage->used)
      fail_tensor(name,
                  fmt::format("reaches beyond the {} elements of its storage", storage->used));
    if (count > storage->used && count > kMaxExpandedBytes / size)
      fail_tensor(name, fmt::format("expands {} stored elements to {}", storage->used, count));
    const auto bytes = find_storage_(*storage);
    return strided(storage->dtype, shape, strides, static_cast<int64_t>(offset),
                   bytes.subspan(storage->first * size, storage->used * size), holder_);
  }

  const std::string& source_;
  const Pickle& pickle_;
  const FindStorage& find_storage_;
  std::shared_ptr<const void> holder_;
  LazyTensors tensors_;
};

}  // namespace

LazyTensors torch_tensors(const std::string& source, const Pickle& pickle,
                          const FindStorage& find_storage, std::shared_ptr<const void> holder) {
  return Reader(source, pickle, find_storage, std::move(holder)).read();
}

}  // namespace openclip
