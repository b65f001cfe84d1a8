// Folders, vectors and damage for the tests of src/index.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace openclip {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "/openclip_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Random directions, [count, dim].
inline std::vector<float> unit_rows(size_t count, int64_t dim, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(count * static_cast<size_t>(dim));
  for (size_t i = 0; i < count; ++i) {
    float* row = rows.data() + i * static_cast<size_t>(dim);
    double sum = 0;
    for (int64_t j = 0; j < dim; ++j) {
      row[j] = normal(random);
      sum += double{row[j]} * row[j];
    }
    for (int64_t j = 0; j < dim; ++j) row[j] = static_cast<float>(row[j] / std::sqrt(sum));
  }
  return rows;
}

inline void flip_byte(const std::string& path, size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

}  // namespace openclip
