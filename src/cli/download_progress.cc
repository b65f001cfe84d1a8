#include "cli/download_progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/clock.h"
#include "cli/output.h"
#include "io/http/download.h"
#include "io/hub/settings.h"

namespace openclip {
namespace {

constexpr int kBarColumns = 20;
constexpr double kRedraw = 0.1;  // seconds

int terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string bar(uint64_t have, uint64_t total) {
  const double part = static_cast<double>(have) / static_cast<double>(total);
  const int full = std::clamp(static_cast<int>(part * kBarColumns), 0, kBarColumns);
  const std::string marks(static_cast<size_t>(full), '#');
  const std::string blanks(static_cast<size_t>(kBarColumns - full), ' ');
  return "[" + marks + blanks + "] " + fmt::format("{:3.0f} %", std::min(100.0, 100 * part));
}

}  // namespace

std::string clock_text(double seconds) {
  if (!(seconds >= 0 && seconds < 100 * 3600.0)) return "-:--";
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string progress_line(const std::string& file, uint64_t have, uint64_t total,
                          double bytes_per_second, int columns) {
  const std::string rate = human_bytes(static_cast<uint64_t>(bytes_per_second)) + "/s";
  std::vector<std::string> parts;
  if (total > 0) {
    const double left = static_cast<double>(total - std::min(have, total)) / bytes_per_second;
    parts = {bar(have, total), fmt::format("{} of {}", human_bytes(have), human_bytes(total)), rate,
             clock_text(left) + " left"};
  } else {
    parts = {human_bytes(have), rate};
  }
  const std::string tail = fmt::format("{}", fmt::join(parts, "  "));
  const int room = columns - 3 - static_cast<int>(tail.size());
  std::string name = printable(file);
  if (display_width(name) > room) name.resize(static_cast<size_t>(std::max(0, room)));
  const std::string line = name.empty() ? tail : name + "  " + tail;
  return line.substr(0, static_cast<size_t>(std::max(0, columns - 1)));
}

DownloadProgress::DownloadProgress(bool quiet)
    : quiet_(quiet), bar_(!quiet && isatty(STDERR_FILENO) != 0) {}

DownloadProgress::~DownloadProgress() { clear(); }

void DownloadProgress::begin(const std::string& file, uint64_t have, uint64_t total) {
  file_ = file;
  first_ = have_ = have;
  total_ = total;
  began_ = now();
  bar_ = bar_ && hub_settings().progress_bars;
}

void DownloadProgress::advance(uint64_t have) {
  have_ = have;
  if (!bar_) return;
  if (const double time = now(); time - last_drawn_ >= kRedraw) draw(time);
}

void DownloadProgress::draw(double time) {
  last_drawn_ = time;
  drawn_ = true;
  const double rate = static_cast<double>(have_ - first_) / std::max(time - began_, 1e-3);
  fmt::print(stderr, "\r\x1b[K{}", progress_line(file_, have_, total_, rate, terminal_columns()));
  std::fflush(stderr);
}

void DownloadProgress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

void DownloadProgress::end() {
  clear();
  if (!quiet_)
    tell(fmt::format("fetched {} ({} in {})", file_, human_bytes(have_),
                     clock_text(now() - began_)));
}

void DownloadProgress::note(const std::string& text) {
  clear();
  if (!quiet_) tell(text);
}

bool DownloadProgress::cancelled() {
  if (!interrupt_.raised()) return false;
  clear();
  return true;
}

}  // namespace openclip
