#include "io/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/half.h"

namespace openclip {
namespace {

constexpr size_t kMaxNpyHeaderBytes = 1 << 16;
constexpr size_t kMaxAxes = 32;

// The dict literal NumPy writes: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
// Keys may come in any order; nothing else of Python is understood.
class DictParser {
 public:
  DictParser(const std::string& source, std::string_view text) : source_(source), text_(text) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !descr)
        descr = string();
      else if (key == "fortran_order" && !fortran)
        fortran = boolean();
      else if (key == "shape" && !shape)
        shape = tuple();
      else
        fail("unexpected key");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) fail("text after the header");
    if (!descr || !fortran || !shape) fail("descr, fortran_order or shape is missing");
  }

  std::optional<std::string> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<int64_t>> shape;

 private:
  [[noreturn]] void fail(const char* problem) const {
    throw ParseError(source_, fmt::format("npy header: {} (at character {})", problem, position_));
  }
  void skip_space() {
    while (position_ < text_.size() && std::strchr(" \t\n\r", text_[position_]) != nullptr &&
           text_[position_] != '\0')
      ++position_;
  }
  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("malformed");
  }
  std::string string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos || end - position_ > 32) fail("expected a short string");
    const size_t begin = std::exchange(position_, end + 1);
    return std::string(text_.substr(begin, end - begin));
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += std::strlen(word);
        return value;
      }
    }
    fail("expected True or False");
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> dims;
    expect('(');
    while (!accept(')')) {
      if (dims.size() == kMaxAxes) fail("too many axes");
      dims.push_back(integer());
      if (!accept(',')) {
        if (dims.size() == 1) fail("expected a tuple");  // (3) is a number, not a shape
        expect(')');
        break;
      }
    }
    return dims;
  }
  int64_t integer() {
    skip_space();
    const size_t begin = position_;
    int64_t value = 0;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[position_] - '0', &value))
        fail("a dimension is too large");
      ++position_;
    }
    if (position_ == begin) fail("expected a natural number");
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // Python 2 wrote 3L
    return value;
  }

  const std::string& source_;
  std::string_view text_;
  size_t position_ = 0;
};

DType dtype_from_descr(const std::string& source, const std::string& descr) {
  constexpr std::pair<std::string_view, DType> kTypes[] = {
      {"f8", DType::f64}, {"f4", DType::f32}, {"f2", DType::f16},
      {"i8", DType::i64}, {"i4", DType::i32}, {"i2", DType::i16},
      {"i1", DType::i8},  {"u1", DType::u8},  {"b1", DType::boolean}};
  for (const auto& [name, dtype] : kTypes) {
    const bool one_byte = dtype_size(dtype) == 1;
    if (descr == fmt::format("<{}", name) || descr == fmt::format("={}", name) ||
        (one_byte && descr == fmt::format("|{}", name)))
      return dtype;
  }
  throw Unsupported(
      fmt::format("{}: npy element type '{}' is not supported; save as float32", source, descr));
}

// Bytes of the array, or nullopt when they exceed what a size can say.
std::optional<size_t> checked_bytes(const std::vector<int64_t>& shape, DType dtype) {
  size_t bytes = dtype_size(dtype);
  bool empty = false;
  for (const int64_t dim : shape) {
    empty = empty || dim == 0;
    if (dim != 0 && __builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes))
      return std::nullopt;
  }
  return empty ? 0 : bytes;
}

}  // namespace

NpyHeader parse_npy(const std::string& source, std::span<const uint8_t> file) {
  if (file.size() < 10 || std::memcmp(file.data(), "\x93NUMPY", 6) != 0)
    throw ParseError(source, "not a .npy file");
  const int version = file[6];
  if (version < 1 || version > 3 || file[7] != 0)
    throw ParseError(source, fmt::format("npy version {}.{} is unknown", version, file[7]));
  const size_t length_bytes = version == 1 ? 2 : 4;
  if (file.size() < 8 + length_bytes) throw ParseError(source, "npy header is cut off");
  size_t length = 0;
  for (size_t i = length_bytes; i-- > 0;) length = length << 8 | file[8 + i];
  const size_t offset = 8 + length_bytes;
  if (length > kMaxNpyHeaderBytes || length > file.size() - offset)
    throw ParseError(source, fmt::format("npy header of {} bytes is too long or cut off", length));

  const auto* text = reinterpret_cast<const char*>(file.data() + offset);
  DictParser dict(source, {text, length});
  dict.parse();
  NpyHeader header{dtype_from_descr(source, *dict.descr), *dict.shape, offset + length, 0};
  if (*dict.fortran && header.shape.size() > 1)
    throw Unsupported(fmt::format(
        "{}: npy in Fortran order is not supported; save np.ascontiguousarray(x)", source));
  const auto bytes = checked_bytes(header.shape, header.dtype);
  if (!bytes || *bytes > file.size() - header.data_offset)
    throw ParseError(source, fmt::format("npy data is cut off: {} bytes are not the whole array",
                                         file.size() - header.data_offset));
  header.data_bytes = *bytes;
  return header;
}

NpyFile::NpyFile(MappedFile file, NpyHeader header)
    : file_(std::move(file)), header_(std::move(header)) {}

NpyFile NpyFile::open(const std::string& path) {
  MappedFile file(path);
  NpyHeader header = parse_npy(path, file.bytes());
  return {std::move(file), std::move(header)};
}

void NpyFile::read_floats(size_t begin, std::span<float> out) const {
  const size_t count = header_.data_bytes / dtype_size(header_.dtype);
  check_arg(begin <= count && out.size() <= count - begin,
            "[read_floats] elements {} to {} of {} in {}", begin, begin + out.size(), count,
            file_.path());
  const uint8_t* from = bytes().data() + begin * dtype_size(header_.dtype);
  if (header_.dtype == DType::f32) {
    if (!out.empty()) std::memcpy(out.data(), from, out.size_bytes());
  } else if (header_.dtype == DType::f64) {
    for (size_t i = 0; i < out.size(); ++i) {
      double value;
      std::memcpy(&value, from + i * sizeof value, sizeof value);
      out[i] = static_cast<float>(value);
    }
  } else if (header_.dtype == DType::f16) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = f16_to_f32(static_cast<uint16_t>(from[2 * i] | from[2 * i + 1] << 8));
  } else {
    throw Unsupported(fmt::format("{}: holds {}, expected floating-point numbers", file_.path(),
                                  dtype_name(header_.dtype)));
  }
}

std::vector<float> NpyFile::to_floats() const {
  std::vector<float> values(header_.data_bytes / dtype_size(header_.dtype));
  read_floats(0, values);
  return values;
}

}  // namespace openclip
