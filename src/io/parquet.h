// Tables in Parquet files, by Apache Arrow where its module is installed. Rank 3.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace openclip {

/// Reads rows in order.
class ParquetReader {
 public:
  /// Throws: Unsupported where the module is not installed; ParseError for what is no Parquet file.
  explicit ParquetReader(const std::string& path);
  ~ParquetReader();
  ParquetReader(const ParquetReader&) = delete;
  ParquetReader& operator=(const ParquetReader&) = delete;

  int64_t rows() const;

  /// The next row as a JSON object; nullopt at the end. The text lasts until the next call.
  /// Throws: ParseError for a damaged file.
  std::optional<std::string_view> next();

 private:
  std::string path_;
  void* reader_;
  std::string_view lines_;  // read, not given yet
};

/// Writes a file of JSON lines as a Parquet file, atomically; types are found by looking at the
/// lines. Throws: Unsupported where the module is not installed; IoError.
void write_parquet(const std::string& jsonl_path, const std::string& path);

}  // namespace openclip
