#include "io/hub/url_file.h"

#include <algorithm>
#include <filesystem>

#include "base/environment.h"
#include "base/file.h"
#include "io/digest.h"
#include "io/http/await_lock.h"
#include "io/http/partial_file.h"
#include "io/http/url.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

bool is_digest(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string file_name(const std::string& url) { return url.substr(url.rfind('/') + 1); }

bool is_right(const std::string& path, const Checksum& checksum, DownloadObserver& observer) {
  if (!is_file(path)) return false;
  if (checksum.kind == Checksum::Kind::none) return true;
  return file_sha256(path, [&] { throw_if_cancelled(observer); }).starts_with(checksum.digits);
}

void check_status(const std::string& url, const HttpSession::Answer& answer) {
  const int status = answer.response.status;
  if (status == 404 || status == 410) throw NotFound(fmt::format("{}: no such file", url));
  if (status / 100 != 2) throw NetworkError(fmt::format("{}: HTTP {}", url, status));
}

}  // namespace

std::string url_cache_dir() { return environment("HOME") + "/.cache/clip"; }

std::string url_cache_path(const std::string& url) {
  const std::string name = file_name(url);
  check_arg(is_cache_name(name), "{} names no file", url);
  return url_cache_dir() + "/" + name;
}

Checksum url_checksum(const std::string& url) {
  std::string digits;
  if (url.find("openaipublic") != std::string::npos) {
    const std::string folder = url.substr(0, url.rfind('/'));
    digits = folder.substr(folder.rfind('/') + 1);
  } else if (url.find("mlfoundations") != std::string::npos) {
    const std::string stem = fs::path(file_name(url)).stem().string();
    digits = stem.substr(stem.rfind('-') + 1);
  }
  if (!is_digest(digits)) return {};
  return {Checksum::Kind::sha256, digits};
}

HubFile fetch_url_file(const std::string& url, const HubSettings& settings,
                       DownloadObserver& observer) {
  const std::string target = url_cache_path(url);
  const Checksum checksum = url_checksum(url);
  if (is_right(target, checksum, observer)) return {.path = target};
  if (settings.offline)
    throw NetworkError(fmt::format(
        "{} is to be fetched, but HF_HUB_OFFLINE is set; unset it, or put the file at {}", url,
        target));
  make_cache_folder(url_cache_dir());
  const FileLock lock = await_lock(target + ".lock", observer);
  if (is_right(target, checksum, observer)) return {.path = target};
  const std::string partial = target + ".incomplete";
  // Nothing would tell whether an old half belongs to the same content.
  if (checksum.kind == Checksum::Kind::none || !lock.held()) PartialFile(partial).remove();
  HttpSession session(observer, url, "");
  download(session, {.url = url,
                     .name = file_name(url),
                     .partial = partial,
                     .target = target,
                     .checksum = checksum,
                     .timeout_seconds = settings.download_seconds,
                     .check_status = [&](const auto& answer) { check_status(url, answer); }});
  return {.path = target, .fetched = true};
}

}  // namespace openclip
