#include "io/hub/settings.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/environment.h"
#include "base/error.h"
#include "base/file.h"
#include "io/http/headers.h"

namespace openclip {
namespace {

constexpr size_t kMaxTokenBytes = 4096;
constexpr int kMaxTimeout = 24 * 3600;

bool is_true(const char* name) {
  std::string value = environment(name);
  for (char& c : value)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

int timeout(const char* name) {
  const std::string text = environment(name);
  if (text.empty()) return 10;
  const auto seconds = parse_decimal(text);
  check_arg(seconds && *seconds <= kMaxTimeout, "{}={} is no number of seconds", name, text);
  return *seconds == 0 ? 10 : static_cast<int>(*seconds);
}

std::string clean_token(std::string text, const char* source) {
  constexpr std::string_view kBlank = " \t\r\n";
  text.erase(0, std::min(text.size(), text.find_first_not_of(kBlank)));
  text.erase(text.find_last_not_of(kBlank) + 1);
  // It becomes a header line, which a line break inside would split.
  check_arg(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; }),
            "{} holds no token: a token is one word of ASCII", source);
  return text;
}

std::string token_file() {
  const std::string path = environment("HF_TOKEN_PATH");
  return path.empty() ? hub_home() + "/token" : expand_path(path);
}

std::string find_token() {
  if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return "";
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
    if (const std::string text = environment(name); !text.empty()) return clean_token(text, name);
  const std::string path = token_file();
  if (!is_file(path)) return "";
  return clean_token(read_text_file(path, kMaxTokenBytes), path.c_str());
}

// The name after '$' at `at`, and where the text goes on.
std::optional<std::pair<std::string, size_t>> variable_at(const std::string& text, size_t at) {
  const bool braces = at + 1 < text.size() && text[at + 1] == '{';
  const size_t first = at + (braces ? 2 : 1);
  size_t end = first;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
    ++end;
  if (end == first || (braces && (end == text.size() || text[end] != '}'))) return std::nullopt;
  return std::pair(text.substr(first, end - first), end + (braces ? 1 : 0));
}

}  // namespace

std::string expand_path(const std::string& text) {
  std::string out;
  size_t at = 0;
  if (text == "~" || text.starts_with("~/")) {
    out = environment("HOME");
    at = 1;
  }
  while (at < text.size()) {
    const auto variable = text[at] == '$' ? variable_at(text, at) : std::nullopt;
    const std::string value = variable ? environment(variable->first.c_str()) : "";
    if (value.empty()) {
      out += text[at++];
    } else {
      out += value;
      at = variable->second;
    }
  }
  return out;
}

std::string hub_home() {
  if (const std::string home = environment("HF_HOME"); !home.empty()) return expand_path(home);
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return expand_path(cache + "/huggingface");
  return environment("HOME") + "/.cache/huggingface";
}

HubSettings hub_settings() {
  HubSettings settings;
  settings.endpoint = environment("HF_ENDPOINT");
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  settings.token = find_token();
  settings.offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE");
  settings.progress_bars = !is_true("HF_HUB_DISABLE_PROGRESS_BARS");
  settings.metadata_seconds = timeout("HF_HUB_ETAG_TIMEOUT");
  settings.download_seconds = timeout("HF_HUB_DOWNLOAD_TIMEOUT");
  return settings;
}

}  // namespace openclip
