#include "io/safetensors.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "io/json.h"
#include "io/shard_index.h"

namespace openclip {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr std::string_view kIndexSuffix = ".safetensors.index.json";

uint64_t read_u64(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[static_cast<size_t>(i)];
  return value;
}

std::optional<DType> dtype_from_header(std::string name) {
  if (name == "BOOL") return DType::boolean;
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') return std::nullopt;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name == "bool" ? std::nullopt : dtype_from_name(name);
}

// Where one tensor lies in the data section.
struct Extent {
  uint64_t begin, end;
  const std::string* name;
};

class HeaderParser {
 public:
  HeaderParser(const std::string& source, std::span<const uint8_t> data)
      : source_(source), data_(data) {}

  void add(const std::string& name, const Json& entry) {
    if (!entry.is_object()) fail(name, "its header entry is not an object");
    TensorView view;
    const Json* dtype = json_find(entry, "dtype");
    if (dtype == nullptr || !dtype->is_string()) fail(name, "no dtype");
    const auto known = dtype_from_header(dtype->get<std::string>());
    if (!known) fail(name, fmt::format("dtype {} is not supported", dtype->dump()));
    view.dtype = *known;
    const uint64_t count = read_shape(name, entry, &view.shape);
    const auto [begin, end] = read_offsets(name, entry);
    uint64_t size = 0;
    if (__builtin_mul_overflow(count, dtype_size(view.dtype), &size) || size != end - begin)
      fail(name, fmt::format("{} elements of {} do not fill its {} bytes", count,
                             dtype_name(view.dtype), end - begin));
    view.bytes = data_.subspan(begin, end - begin);
    const auto place = views_.emplace(name, std::move(view)).first;
    extents_.push_back({begin, end, &place->first});
  }

  // Tensors must tile the data section exactly; else the same bytes could be claimed twice, or
  // bytes could hide between them.
  TensorViews finish() {
    std::sort(extents_.begin(), extents_.end(), [](const Extent& a, const Extent& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t position = 0;
    for (const Extent& extent : extents_) {
      if (extent.begin != position)
        fail(*extent.name, fmt::format("its data starts at byte {} where byte {} is due",
                                       extent.begin, position));
      position = extent.end;
    }
    if (position != data_.size())
      throw ParseError(source_, fmt::format("{} bytes of data, but its tensors cover {}",
                                            data_.size(), position));
    return std::move(views_);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
    throw ParseError(source_, fmt::format("tensor '{}': {}", name, problem));
  }

  uint64_t read_shape(const std::string& name, const Json& entry, std::vector<int64_t>* shape) {
    const Json* dims = json_find(entry, "shape");
    if (dims == nullptr || !dims->is_array()) fail(name, "no shape");
    uint64_t count = 1;
    for (const Json& dim : *dims) {
      if (!dim.is_number_unsigned() || dim.get<uint64_t>() > uint64_t{INT64_MAX})
        fail(name, "a dimension is not a natural number");
      shape->push_back(dim.get<int64_t>());
      if (__builtin_mul_overflow(count, dim.get<uint64_t>(), &count)) fail(name, "shape overflows");
    }
    return count;
  }

  std::pair<uint64_t, uint64_t> read_offsets(const std::string& name, const Json& entry) {
    const Json* pair = json_find(entry, "data_offsets");
    if (pair == nullptr || !pair->is_array() || pair->size() != 2 ||
        !(*pair)[0].is_number_unsigned() || !(*pair)[1].is_number_unsigned())
      fail(name, "no data_offsets");
    const auto begin = (*pair)[0].get<uint64_t>();
    const auto end = (*pair)[1].get<uint64_t>();
    if (begin > end || end > data_.size())
      fail(name, fmt::format("bytes {} to {} lie outside the {} bytes of data", begin, end,
                             data_.size()));
    return {begin, end};
  }

  const std::string& source_;
  std::span<const uint8_t> data_;
  TensorViews views_;
  std::vector<Extent> extents_;
};

void read_metadata(const std::string& source, const Json& entry, StringMap* metadata) {
  if (!entry.is_object()) throw ParseError(source, "__metadata__ is not an object");
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string())
      throw ParseError(source, fmt::format("__metadata__ '{}' is not a string", key));
    if (metadata != nullptr) (*metadata)[key] = value.get<std::string>();
  }
}

}  // namespace

int64_t element_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape)
    check_arg(dim >= 0 && !__builtin_mul_overflow(count, dim, &count),
              "[shape] dimension {} is negative, or the size overflows", dim);
  return count;
}

TensorViews parse_safetensors(const std::string& source, std::span<const uint8_t> file,
                              StringMap* metadata) {
  if (file.size() < 8) throw ParseError(source, "too short for a safetensors file");
  const uint64_t header_bytes = read_u64(file);
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - 8)
    throw ParseError(source, fmt::format("header of {} bytes in a file of {}; not a safetensors "
                                         "file, or cut off",
                                         header_bytes, file.size()));
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, header_bytes);
  const Json header =
      parse_json(source, text, {.max_bytes = kMaxHeaderBytes, .max_depth = 4, .unique_keys = true});
  if (!header.is_object()) throw ParseError(source, "header is not a JSON object");
  HeaderParser parser(source, file.subspan(8 + header_bytes));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__")
      read_metadata(source, entry, metadata);
    else
      parser.add(name, entry);
  }
  return parser.finish();
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  SafetensorsFile file;
  file.path_ = path;
  if (path.ends_with(kIndexSuffix))
    file.add_index(path);
  else
    file.add_file(path);
  return file;
}

const TensorView& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw NotFound(fmt::format("{}: no tensor '{}'", path_, name));
  return found->second;
}

void SafetensorsFile::add_file(const std::string& path) {
  MappedFile file(path);
  tensors_ = parse_safetensors(path, file.bytes(), &metadata_);
  files_.push_back(std::move(file));
}

void SafetensorsFile::add_index(const std::string& path) {
  for (const auto& [shard_path, names] : read_shard_index(path)) {
    MappedFile file(shard_path);
    const TensorViews shard = parse_safetensors(shard_path, file.bytes(), &metadata_);
    files_.push_back(std::move(file));
    for (const std::string& name : names) {
      const auto found = shard.find(name);
      if (found == shard.end())
        throw ParseError(path, fmt::format("shard {} lacks tensor '{}'", shard_path, name));
      tensors_.emplace(name, found->second);
    }
  }
}

}  // namespace openclip
