#include "io/torch_file.h"

#include <map>

#include "base/error.h"
#include "io/torch_values.h"
#include "io/zip_archive.h"

namespace openclip {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";

// A pickle lists tensors; it does not hold them. 2 KB for each of a training checkpoint's would do.
constexpr size_t kMaxPickleBytes = size_t{1} << 28;

// "NAME" of NAME/data.pkl, which is the archive's only folder.
std::string find_top_folder(const std::string& source,
                            const std::map<std::string, ZipEntry>& entries) {
  for (const auto& [name, entry] : entries)
    if (name.ends_with(kPickleName)) {
      const std::string top = name.substr(0, name.size() - kPickleName.size());
      if (top.find('/') == std::string::npos) return top;
    }
  for (const auto& [name, entry] : entries)
    if (name.ends_with(".npy"))
      throw Unsupported(
          fmt::format("{}: is a NumPy archive (.npz), which this version does not read", source));
  throw ParseError(source, "is a zip archive but no PyTorch file: it has no data.pkl");
}

std::span<const uint8_t> stored(const std::string& source, const std::string& name,
                                const ZipEntry& entry) {
  if (!entry.is_stored)
    throw Unsupported(fmt::format(
        "{}: entry '{}' is compressed, which PyTorch's own files never are; save it again with "
        "torch.save",
        source, quotable(name)));
  return entry.data;
}

void check_byte_order(const std::string& source, bool is_little) {
  if (!is_little) throw Unsupported(source + ": is a big-endian file, which is not supported");
}

Pickle parse_pickle(const std::string& source, std::span<const uint8_t> bytes, bool in_script,
                    size_t* end = nullptr) {
  return Pickle(
      source, bytes.first(std::min(bytes.size(), kMaxPickleBytes)),
      [in_script](std::string_view name) { return is_torch_global(name, in_script); }, end);
}

// The pickles of the legacy format, one after the other.
class LegacyReader {
 public:
  LegacyReader(const std::string& source, std::span<const uint8_t> file)
      : source_(source), rest_(file) {}

  LazyTensors read(std::shared_ptr<const void> holder) {
    check_magic();
    const Pickle version = next_pickle();
    if (version[version.root()].integer != kVersion) fail("is of an unknown version");
    check_system(next_pickle());
    const Pickle main = next_pickle();
    read_storages(main, next_pickle());
    return torch_tensors(
        source_, main, [this](const TorchStorage& storage) { return find(storage); },
        std::move(holder));
  }

 private:
  static constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  static constexpr int64_t kVersion = 1001;

  [[noreturn]] void fail(const std::string& problem) const { throw ParseError(source_, problem); }

  Pickle next_pickle() {
    size_t end = 0;
    Pickle pickle = parse_pickle(source_, rest_, /*in_script=*/false, &end);
    rest_ = rest_.subspan(end);
    return pickle;
  }

  void check_magic() {
    const Pickle magic = next_pickle();
    if (magic[magic.root()].text != kMagic)
      fail("is a Python pickle, but not one of torch.save; save a state_dict with torch.save");
  }

  void check_system(const Pickle& pickle) const {
    const std::vector<PickleId>& items = pickle[pickle.root()].items;
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      if (pickle[items[i]].text == "little_endian")
        check_byte_order(source_, pickle[items[i + 1]].integer == 1);
  }

  // Behind the pickles: for each key of the list the element count (u64) and the elements. How
  // large an element is says the pickle alone.
  void read_storages(const Pickle& main, const Pickle& keys) {
    std::map<std::string_view, TorchStorage> known;
    for (const PickleNode& node : main.nodes())
      if (const auto storage = torch_storage(main, node)) known.emplace(storage->key, *storage);
    for (const PickleId id : keys[keys.root()].items) {
      const auto storage = known.find(keys[id].text);
      if (storage == known.end())
        fail_storage(keys[id].text, "is used by no tensor of a known type");
      const uint64_t count = take_count();
      if (count != storage->second.count) fail_storage(storage->first, "has another size");
      storages_[std::string(storage->first)] =
          take(count * dtype_size(storage->second.dtype), storage->first);
    }
  }

  uint64_t take_count() {
    const auto bytes = take(8, "sizes");
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }

  std::span<const uint8_t> take(uint64_t size, std::string_view what) {
    if (size > rest_.size()) fail_storage(what, "is cut off");
    const auto part = rest_.first(static_cast<size_t>(size));
    rest_ = rest_.subspan(part.size());
    return part;
  }

  [[noreturn]] void fail_storage(std::string_view key, const char* problem) const {
    fail(fmt::format("storage '{}' {}", quotable(key), problem));
  }

  std::span<const uint8_t> find(const TorchStorage& storage) const {
    const auto found = storages_.find(storage.key);
    if (found == storages_.end()) fail_storage(storage.key, "is not there");
    if (found->second.size() != storage.count * dtype_size(storage.dtype))
      fail_storage(storage.key, "has another size");
    return found->second;
  }

  const std::string& source_;
  std::span<const uint8_t> rest_;
  std::map<std::string, std::span<const uint8_t>, std::less<>> storages_;
};

}  // namespace

LazyTensors read_torch_zip(const std::string& source, std::span<const uint8_t> file,
                           std::shared_ptr<const void> holder) {
  const auto entries = parse_zip(source, file);
  const std::string top = find_top_folder(source, entries);
  if (const auto order = entries.find(top + "/byteorder"); order != entries.end()) {
    const auto bytes = stored(source, order->first, order->second);
    check_byte_order(source, std::string(bytes.begin(), bytes.end()) == "little");
  }
  const auto data = entries.find(top + std::string(kPickleName));
  const bool in_script = entries.contains(top + "/constants.pkl");
  const Pickle pickle = parse_pickle(source, stored(source, data->first, data->second), in_script);
  const FindStorage find = [&](const TorchStorage& storage) {
    const std::string name = fmt::format("{}/data/{}", top, storage.key);
    const auto entry = entries.find(name);
    if (entry == entries.end())
      throw ParseError(source, fmt::format("lacks the storage '{}'", quotable(name)));
    const auto bytes = stored(source, name, entry->second);
    if (bytes.size() != storage.count * dtype_size(storage.dtype))
      throw ParseError(
          source, fmt::format("storage '{}' has {} bytes for {} elements of {}", quotable(name),
                              bytes.size(), storage.count, dtype_name(storage.dtype)));
    return bytes;
  };
  return torch_tensors(source, pickle, find, std::move(holder));
}

LazyTensors read_torch_legacy(const std::string& source, std::span<const uint8_t> file,
                              std::shared_ptr<const void> holder) {
  return LegacyReader(source, file).read(std::move(holder));
}

}  // namespace openclip
