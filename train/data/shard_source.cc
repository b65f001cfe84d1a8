#include "data/shard_source.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/http/download.h"

namespace openclip::train {
namespace {

constexpr std::string_view kPipe = "pipe:";
constexpr int kTimeoutSeconds = 30;

void check_status(const std::string& url, const HttpSession::Answer& answer) {
  const int status = answer.response.status;
  if (status == 404 || status == 410) throw NotFound(fmt::format("{}: no such file", url));
  if (status / 100 != 2) throw NetworkError(fmt::format("{}: HTTP {}", url, status));
}

std::string temporary_path() {
  const char* folder = std::getenv("TMPDIR");
  std::string path =
      fmt::format("{}/openclip-shard-XXXXXX", folder != nullptr && *folder != 0 ? folder : "/tmp");
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw IoError(fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  ::close(fd);
  return path;
}

}  // namespace

bool ShardSource::is_download(const std::string& shard) {
  return shard.starts_with("http://") || shard.starts_with("https://");
}

ShardSource::ShardSource(const std::string& shard) : shard_(shard), path_(shard) {
  if (shard.starts_with(kPipe)) start(shard.substr(kPipe.size()));
  if (is_download(shard)) fetch(shard);
}

ShardSource::~ShardSource() {
  finish();
  std::error_code ignored;
  if (temporary_) std::filesystem::remove(path_, ignored);
}

void ShardSource::start(const std::string& command) {
  command_ = ::popen(command.c_str(), "re");
  if (command_ == nullptr)
    throw IoError(fmt::format("{}: cannot start: {}", shard_, std::strerror(errno)));
  path_ = fmt::format("/dev/fd/{}", ::fileno(command_));
}

std::string ShardSource::finish() {
  if (command_ == nullptr) return {};
  const int status = ::pclose(std::exchange(command_, nullptr));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return WIFEXITED(status)
             ? fmt::format("{}: the command ended with exit code {}", shard_, WEXITSTATUS(status))
             : fmt::format("{}: the command was ended by signal {}", shard_, WTERMSIG(status));
}

void ShardSource::fetch(const std::string& url) {
  path_ = temporary_path();
  temporary_ = true;
  const std::string partial = path_ + ".part";
  try {
    DownloadObserver silent;
    HttpSession session(silent, url, "");
    const auto follow = [](const HttpSession::Answer&, const std::string&) { return true; };
    const HttpSession::Answer head = session.head(url, kTimeoutSeconds, follow);
    DownloadJob job{.url = url, .name = url, .partial = partial, .target = path_};
    if (head.response.status / 100 == 2)
      job.size = parse_decimal(head.response.headers.get("content-length"));
    job.timeout_seconds = kTimeoutSeconds;
    job.check_status = [&](const HttpSession::Answer& answer) { check_status(url, answer); };
    download(session, job);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

}  // namespace openclip::train
