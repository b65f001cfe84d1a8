#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>
#include <utf8proc.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "cli/clock.h"

namespace openclip {
namespace {

[[noreturn]] void output_failed() {
  throw IoError(fmt::format("standard output: {}", std::strerror(errno)));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return out;
}

void tell(std::string_view line) {
  const std::string text = "openclip: " + printable(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_failed();
}

void flush_output() {
  if (std::fflush(stdout) != 0) output_failed();
}

int display_width(std::string_view utf8) {
  int columns = 0;
  while (!utf8.empty()) {
    utf8proc_int32_t code = 0;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
    const auto used = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(utf8.size()), &code);
    columns += used > 0 ? utf8proc_charwidth(code) : 1;  // a stray byte shows as one mark
    utf8.remove_prefix(static_cast<size_t>(std::max<utf8proc_ssize_t>(used, 1)));
  }
  return columns;
}

std::string pad_right(std::string_view text, int columns) {
  std::string out(text);
  out.append(static_cast<size_t>(std::max(0, columns - display_width(text))), ' ');
  return out;
}

ProgressLine::ProgressLine(const char* unit, bool quiet)
    : unit_(unit), active_(!quiet && isatty(STDERR_FILENO)), began_(now()) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::update(int64_t done, std::optional<int64_t> total) {
  if (!active_) return;
  const double time = now();
  if (time - last_ < 0.1) return;
  last_ = time;
  drawn_ = true;
  const double rate = static_cast<double>(done) / std::max(time - began_, 1e-3);
  if (total && rate > 0) {
    const auto left = static_cast<int64_t>(static_cast<double>(*total - done) / rate);
    fmt::print(stderr, "\r\x1b[K{} of {} {}, {:.1f}/s, {}:{:02}:{:02} left", done, *total, unit_,
               rate, left / 3600, left / 60 % 60, left % 60);
  } else {
    fmt::print(stderr, "\r\x1b[K{} {}, {:.1f}/s", done, unit_, rate);
  }
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace openclip
