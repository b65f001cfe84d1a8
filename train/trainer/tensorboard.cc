#include "trainer/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <filesystem>

#include "base/error.h"

namespace openclip::train {
namespace {

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// Protocol buffers by hand: field number and wire type, then the value.
std::string varint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}
std::string field_double(int number, double value) {
  return varint(number << 3 | 1) + little_endian(std::bit_cast<uint64_t>(value), 8);
}
std::string field_float(int number, float value) {
  return varint(number << 3 | 5) + little_endian(std::bit_cast<uint32_t>(value), 4);
}
std::string field_varint(int number, uint64_t value) { return varint(number << 3) + varint(value); }
std::string field_bytes(int number, const std::string& value) {
  return varint(number << 3 | 2) + varint(value.size()) + value;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t crc32c(std::string_view data) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = t[i] >> 1 ^ (t[i] & 1 ? 0x82F63B78u : 0);
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (const char c : data) crc = table[(crc ^ static_cast<uint8_t>(c)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

TensorBoardWriter::TensorBoardWriter(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const double now = seconds_since_1970();
  const std::string path =
      fmt::format("{}/events.out.tfevents.{:.0f}.openclip.{}.v2", folder, now, ::getpid());
  file_.open(path, std::ios::binary);
  if (!file_) throw IoError("cannot write " + path);
  // Event {wall_time = 1, file_version = 3}
  write_record(field_double(1, now) + field_bytes(3, "brain.Event:2"));
}

void TensorBoardWriter::add(int64_t step,
                            const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;  // Summary {repeated Value value = 1}, Value {tag = 1, simple_value = 2}
  for (const auto& [tag, value] : scalars)
    summary += field_bytes(1, field_bytes(1, tag) + field_float(2, static_cast<float>(value)));
  // Event {wall_time = 1, step = 2, summary = 5}
  write_record(field_double(1, seconds_since_1970()) +
               field_varint(2, static_cast<uint64_t>(step)) + field_bytes(5, summary));
  file_.flush();
}

void TensorBoardWriter::write_record(const std::string& data) {
  const auto masked = [](std::string_view text) {
    const uint32_t crc = crc32c(text);
    return little_endian((crc >> 15 | crc << 17) + 0xA282EAD8u, 4);
  };
  const std::string length = little_endian(data.size(), 8);
  file_ << length << masked(length) << data << masked(data);
}

}  // namespace openclip::train
