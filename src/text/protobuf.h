// The wire format of protocol buffers, read field by field. Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace openclip {

struct ProtobufField {
  uint32_t number = 0;
  uint64_t value = 0;        // of varint, 64-bit and 32-bit fields
  std::string_view bytes{};  // of length-delimited ones

  float as_float() const;  // of a 32-bit field
};

/// Walks over the fields of one message. Throws: ParseError, naming `source`, for lengths that do
/// not fit, varints of more than ten bytes and groups, which nothing here uses.
class ProtobufReader {
 public:
  ProtobufReader(const std::string& source, std::string_view bytes)
      : source_(source), rest_(bytes) {}

  /// False at the end of the message.
  bool next(ProtobufField* field);

 private:
  uint64_t varint();
  std::string_view take(uint64_t bytes);

  const std::string& source_;
  std::string_view rest_;
};

}  // namespace openclip
