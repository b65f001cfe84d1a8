#include "io/http/download.h"

#include <array>
#include <filesystem>

#include "io/digest.h"
#include "io/http/partial_file.h"
#include "io/http/url.h"

namespace openclip {
namespace {

// The bytes themselves are wrong, so keeping them for another attempt would only repeat it.
class WrongContent : public NetworkError {
 public:
  using NetworkError::NetworkError;
};

class PartialSink : public HttpSink {
 public:
  PartialSink(const DownloadJob& job, PartialFile& file, DownloadObserver& observer)
      : job_(job), file_(file), observer_(observer), total_(job.size) {}

  void begin(const HttpResponse& response) override;
  void write(std::string_view bytes) override;
  /// Bytes of the whole file, once known.
  std::optional<uint64_t> total() const { return total_; }

 private:
  void learn_total(std::optional<uint64_t> announced);
  void check_space() const;

  const DownloadJob& job_;
  PartialFile& file_;
  DownloadObserver& observer_;
  std::optional<uint64_t> total_;
};

void PartialSink::begin(const HttpResponse& response) {
  const std::string_view encoding = response.headers.get("Content-Encoding");
  if (!encoding.empty() && encoding != "identity")
    throw TransferError(job_.name + ": the server sends it compressed, which was not asked for",
                        false);
  if (response.status == 206) {
    const auto range = parse_content_range(response.headers.get("Content-Range"));
    if (!range || range->first != file_.size())
      throw WrongContent(job_.name + ": the server answers another range than was asked for");
    learn_total(range->total);
  } else {
    if (file_.size() > 0) file_.clear();  // it knows no ranges
    learn_total(parse_decimal(response.headers.get("Content-Length")));
  }
  check_space();
  observer_.begin(job_.name, file_.size(), total_.value_or(0));
}

void PartialSink::learn_total(std::optional<uint64_t> announced) {
  if (announced && total_ && *announced != *total_)
    throw WrongContent(fmt::format("{}: the server sends {} bytes where {} were announced",
                                   job_.name, *announced, *total_));
  if (announced) total_ = announced;
}

void PartialSink::check_space() const {
  const std::string folder = std::filesystem::path(file_.path()).parent_path().string();
  const uint64_t needed = total_.value_or(file_.size()) - file_.size();
  const uint64_t free = free_disk_bytes(folder);
  if (needed > free)
    throw IoError(fmt::format("{}: {} are to be fetched but {} has only {} free", job_.name,
                              human_bytes(needed), folder, human_bytes(free)));
}

void PartialSink::write(std::string_view bytes) {
  if (file_.size() + bytes.size() > total_.value_or(kMaxUnannouncedBytes)) {
    if (total_)
      throw WrongContent(fmt::format("{}: the server sends more than the {} bytes it announced",
                                     job_.name, *total_));
    throw WrongContent(fmt::format("{}: the server announces no size and sends more than {}",
                                   job_.name, human_bytes(kMaxUnannouncedBytes)));
  }
  file_.append(bytes);
  observer_.advance(file_.size());
}

// One request. Returns whether the file is whole.
bool attempt(HttpSession& session, const DownloadJob& job, PartialFile& file) {
  PartialSink sink(job, file, session.observer());
  const auto answer = session.get(
      {.url = job.url, .range_from = file.size(), .timeout_seconds = job.timeout_seconds}, sink);
  throw_if_busy(answer.response, answer.url);
  if (answer.response.status == 416 && file.size() > 0) {  // more here than there
    file.clear();
    throw TransferError(job.name + ": the server has fewer bytes than were fetched before", true);
  }
  if (job.check_status) job.check_status(answer);
  if (answer.response.status / 100 != 2)
    throw TransferError(fmt::format("{}: HTTP {} from {}", job.name, answer.response.status,
                                    url_origin(answer.url)),
                        false);
  return !sink.total() || file.size() == *sink.total();
}

void fetch_all(HttpSession& session, const DownloadJob& job, PartialFile& file) {
  constexpr uint64_t kProgress = uint64_t{1} << 20;  // a trickle of bytes is no progress
  Backoff backoff(session.observer());
  uint64_t before = file.size();
  for (;;) {
    try {
      if (attempt(session, job, file)) return;
      throw TransferError(job.name + ": the connection ended early", true);
    } catch (const TransferError& error) {
      if (file.size() >= before + kProgress) backoff.progressed();
      before = file.size();
      backoff.failed(error);
    }
  }
}

void verify(const DownloadJob& job, const PartialFile& file, DownloadObserver& observer) {
  if (job.checksum.kind == Checksum::Kind::none) return;
  const auto tick = [&] { throw_if_cancelled(observer); };
  const bool sha256 = job.checksum.kind == Checksum::Kind::sha256;
  const std::string found =
      sha256 ? file_sha256(file.path(), tick) : file_git_sha1(file.path(), tick);
  if (!found.starts_with(job.checksum.digits))
    throw WrongContent(
        fmt::format("{}: the {} checksum of what came is {}, not {}; it was removed, try again",
                    job.name, sha256 ? "sha256" : "git", found, job.checksum.digits));
}

}  // namespace

void download(HttpSession& session, const DownloadJob& job) {
  PartialFile file(job.partial);
  try {
    if (job.size && file.size() > *job.size) file.clear();
    if (!job.size || file.size() < *job.size || *job.size == 0) fetch_all(session, job, file);
    verify(job, file, session.observer());
  } catch (const WrongContent&) {
    file.remove();
    throw;
  }
  file.finish(job.target);
  session.observer().end();
}

std::string human_bytes(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kUnits[unit]);
}

}  // namespace openclip
