#include "io/hub/client.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "io/http/await_lock.h"
#include "io/http/url.h"
#include "io/hub/cache_writer.h"
#include "io/hub_cache.h"

namespace openclip {
namespace {

std::string shown(const HubRepo& repo) {
  return "hf-hub:" + repo.id + (repo.revision == "main" ? "" : "@" + repo.revision);
}

// A mirror may send askers on to the Hub itself, whose answer then has the headers.
bool is_hub(const std::string& url) {
  const std::string origin = url_origin(url);
  return origin == "https://huggingface.co:443" || origin == "https://hf.co:443";
}

}  // namespace

HubRepo parse_hub_repo(const std::string& text) {
  const size_t at = text.find('@');
  HubRepo repo{.id = text.substr(0, at)};
  hub_repo_folder(repo.id);  // checks
  check_arg(repo.id.find('/') != std::string::npos,
            "'{}' is no repository of the Hugging Face Hub; write hf-hub:ORG/REPO", repo.id);
  if (at == std::string::npos) return repo;
  repo.revision = text.substr(at + 1);
  check_arg(is_revision(repo.revision), "'{}' is no revision; write hf-hub:ORG/REPO@REVISION",
            repo.revision);
  return repo;
}

HubClient::HubClient(HubSettings settings, DownloadObserver& observer)
    : settings_(std::move(settings)), observer_(observer) {}

HttpSession& HubClient::session(const HubRepo& repo) {
  if (settings_.offline)
    throw NetworkError(fmt::format(
        "{} is to be fetched, but HF_HUB_OFFLINE is set; unset it, or fetch the model where there "
        "is a network",
        shown(repo)));
  if (!session_)
    session_ = std::make_unique<HttpSession>(observer_, settings_.endpoint, settings_.token);
  return *session_;
}

void HubClient::check_status(const HubRepo& repo, const HttpSession::Answer& answer) const {
  const int status = answer.response.status;
  if (status / 100 == 2 || is_redirect(answer.response)) return;
  const std::string_view code = answer.response.headers.get("X-Error-Code");
  const std::string place = fmt::format("{} at {}", shown(repo), settings_.endpoint);
  if (code == "RevisionNotFound") throw NotFound(fmt::format("{}: no such revision", place));
  const char* token = settings_.token.empty() ? "set HF_TOKEN to one that may read it"
                                              : "the token in use may not read it";
  if (code == "GatedRepo")
    throw NetworkError(
        fmt::format("{}: access is gated (HTTP {}); accept its terms on its page, and {}", place,
                    status, token));
  if (status == 401 || status == 403)
    throw NetworkError(
        fmt::format("{}: access refused (HTTP {}): private, or not there; check the name, {}",
                    place, status, token));
  if (status == 404) throw NotFound(fmt::format("{}: no such repository", place));
  throw NetworkError(fmt::format("{}: HTTP {}", place, status));
}

HubListing HubClient::list(const HubRepo& repo) {
  HttpSession& hub = session(repo);
  const std::string url = fmt::format("{}/api/models/{}/revision/{}", settings_.endpoint, repo.id,
                                      percent_encode(repo.revision));
  HttpSession::Answer answer;
  const std::string text =
      hub.get_text(url, settings_.metadata_seconds, HubListing::kMaxBytes, &answer);
  check_status(repo, answer);
  return parse_listing(url, text);
}

std::string HubClient::resolve_path(const HubRepo& repo, const std::string& file) const {
  return fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, repo.id,
                     percent_encode(repo.revision), percent_encode(file, "/"));
}

std::optional<HubFileInfo> HubClient::file_info(const HubRepo& repo, const std::string& file) {
  const std::string url = resolve_path(repo, file);
  const auto answer = session(repo).head(
      url, settings_.metadata_seconds,
      [](const HttpSession::Answer& redirect, const std::string& target) {
        // The address of large files' content is elsewhere; what is asked stands in the redirect.
        if (url_origin(target) == url_origin(redirect.url)) return true;
        return redirect.response.headers.get("X-Repo-Commit").empty() && is_hub(target);
      });
  const int status = answer.response.status;
  const std::string_view code = answer.response.headers.get("X-Error-Code");
  if (status == 404 && (code == "EntryNotFound" || code.empty())) return std::nullopt;
  check_status(repo, answer);
  return parse_file_info(fmt::format("{}/{}", shown(repo), file), answer.response.headers,
                         is_redirect(answer.response));
}

std::optional<HubFile> HubClient::fetch(const HubRepo& repo, const std::string& file) {
  check_arg(is_safe_relative_path(file), "'{}' is no name of a file in a repository", file);
  const auto info = file_info(repo, file);
  if (!info) return std::nullopt;
  const HubPaths paths = hub_paths(repo.id, info->commit, info->etag, file);
  HubFile result{.path = paths.snapshot};
  if (!is_file(paths.snapshot)) {
    make_hub_folders(paths);
    const FileLock lock = await_lock(paths.lock, observer_);
    if (!is_file(paths.blob)) {
      // Asked for by commit: a branch may move between two attempts. Each attempt begins at the
      // Hub, as signed addresses of the content expire.
      download(session(repo),
               {.url = resolve_path({repo.id, info->commit}, file),
                .name = file,
                .partial = lock.held() ? paths.blob + ".incomplete"
                                       : fmt::format("{}.{}.incomplete", paths.blob, ::getpid()),
                .target = paths.blob,
                .size = info->size,
                .checksum = etag_checksum(info->etag),
                .timeout_seconds = settings_.download_seconds,
                .check_status = [&](const auto& answer) { check_status(repo, answer); }});
      result.fetched = true;
    }
    if (!is_file(paths.snapshot)) link_snapshot(paths);
  }
  remember_revision(repo, info->commit);
  return result;
}

void HubClient::remember_revision(const HubRepo& repo, const std::string& commit) {
  try {
    write_hub_ref(repo.id, repo.revision, commit);
  } catch (const IoError&) {
    // A cache that may only be read is of use all the same.
  }
}

}  // namespace openclip
