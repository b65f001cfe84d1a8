// Results to stdout, everything else to stderr. Rank 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openclip {

/// One line on stderr, prefixed "openclip: ". Line breaks and other control bytes in it (file names
/// may hold any) are shown as '?', so that it stays one line and cannot drive a terminal.
void tell(std::string_view line);

/// Text to stdout. Throws: IoError if it cannot be written.
void print(std::string_view text);

/// Flushes stdout. Throws: IoError, e.g. disk full; a command that printed is not done before this.
void flush_output();

/// Columns that UTF-8 text takes on a terminal: two for CJK and emoji, none for combining marks.
int display_width(std::string_view utf8);

/// `text` with blanks appended up to `columns`.
std::string pad_right(std::string_view text, int columns);

/// Printable copy of foreign text for the terminal: control bytes become '?'.
std::string printable(std::string_view text);

/// A counter that is redrawn on stderr where that is a terminal; otherwise silent.
class ProgressLine {
 public:
  ProgressLine(const char* unit, bool quiet);
  ~ProgressLine();
  /// total: where it is known, the line tells the time left.
  void update(int64_t done, std::optional<int64_t> total = std::nullopt);
  /// Wipes the line, so that other text can be told; the next update draws it again.
  void clear();

 private:
  const char* unit_;
  bool active_;
  bool drawn_ = false;
  double began_ = 0, last_ = 0;
};

}  // namespace openclip
