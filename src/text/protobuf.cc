#include "text/protobuf.h"

#include <bit>
#include <cstring>

#include "base/error.h"

namespace openclip {

float ProtobufField::as_float() const { return std::bit_cast<float>(static_cast<uint32_t>(value)); }

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw ParseError(source_, "a number of its protobuf is longer than 10 bytes");
}

std::string_view ProtobufReader::take(uint64_t bytes) {
  if (bytes > rest_.size())
    throw ParseError(source_, "a field of its protobuf is longer than the file");
  const std::string_view taken = rest_.substr(0, static_cast<size_t>(bytes));
  rest_.remove_prefix(taken.size());
  return taken;
}

bool ProtobufReader::next(ProtobufField* field) {
  if (rest_.empty()) return false;
  const uint64_t key = varint();
  *field = {.number = static_cast<uint32_t>(key >> 3)};
  switch (key & 7) {
    case 0:
      field->value = varint();
      return true;
    case 1:
      std::memcpy(&field->value, take(8).data(), 8);
      return true;
    case 2:
      field->bytes = take(varint());
      return true;
    case 5:
      std::memcpy(&field->value, take(4).data(), 4);
      return true;
    default:
      throw ParseError(source_, fmt::format("its protobuf has a field of kind {}", key & 7));
  }
}

}  // namespace openclip
