// Tables as text: CSV with commas, semicolons or tabs. Rank 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

struct CsvOptions {
  size_t max_columns = 4096;
  size_t max_record_bytes = size_t{16} << 20;
};

/// Splits a table into records as RFC 4180 says: fields in double quotes may hold separators, line
/// breaks and doubled quotes. Line ends are LF or CRLF; a byte order mark is passed over, and so
/// are empty lines. The separator is the one of , ; and tab that the first line holds most often.
class CsvReader {
 public:
  /// text must outlive the reader; `source` names it in errors.
  CsvReader(std::string source, std::string_view text, const CsvOptions& options = {});

  /// The fields of the next record; nullopt at the end.
  /// Throws: ParseError with the line for a quote that does not end, for text behind a closing
  /// quote and beyond the limits.
  std::optional<std::vector<std::string>> next();

  /// Number of the line at which the last record began, from 1.
  size_t line() const { return record_line_; }

 private:
  [[noreturn]] void fail(const char* problem) const;
  std::string field();
  std::string quoted();

  std::string source_;
  std::string_view text_;
  CsvOptions options_;
  size_t at_ = 0, line_ = 1, record_line_ = 0, record_begin_ = 0;
  char separator_ = ',';
};

}  // namespace openclip
