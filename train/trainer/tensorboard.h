// Scalars for TensorBoard, written without its libraries.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openclip::train {

/// An event file: TFRecords (length, masked CRC-32C, data, masked CRC-32C) of Event messages.
class TensorBoardWriter {
 public:
  /// Creates `folder` and a new event file in it. Throws: IoError.
  explicit TensorBoardWriter(const std::string& folder);

  /// Adds scalars of one step and flushes them.
  void add(int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

 private:
  void write_record(const std::string& data);

  std::ofstream file_;
};

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78).
uint32_t crc32c(std::string_view data);

}  // namespace openclip::train
