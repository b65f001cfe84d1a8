// Fetches files of models from the Hugging Face Hub into the cache that Python's huggingface_hub
// shares: <cache>/models--ORG--NAME/{blobs/ETAG, refs/REVISION, snapshots/COMMIT/FILE}, locks in
// <cache>/.locks. Protocol and layout are those of huggingface_hub 1.x and 2.x. Rank 3.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/hub/protocol.h"
#include "io/hub/settings.h"

namespace openclip {

/// A repository at a revision; "main" unless said otherwise.
struct HubRepo {
  std::string id;  // "org/name"
  std::string revision = "main";
};

/// Parses "org/name" or "org/name@revision". Throws: InvalidArgument.
HubRepo parse_hub_repo(const std::string& text);

/// A file in the cache.
struct HubFile {
  std::string path;      // below snapshots/
  bool fetched = false;  // by this call; false: it was there
};

/// One connection to the Hub. Not thread-safe. Nothing is sent before the first call.
class HubClient {
 public:
  HubClient(HubSettings settings, DownloadObserver& observer);

  /// The commit and the files of a repository.
  /// Throws: NotFound (no such repository or revision), NetworkError (not reachable, access
  /// refused, nonsense answered, offline mode), Cancelled.
  HubListing list(const HubRepo& repo);

  /// The file as it is at repo.revision now, fetched unless that content is in the cache already.
  /// Empty if the repository has no such file. Throws: as list; IoError (disk, rights).
  std::optional<HubFile> fetch(const HubRepo& repo, const std::string& file);

  /// Writes refs/REVISION, so that the revision is found again without asking. Throws: IoError.
  void remember_revision(const HubRepo& repo, const std::string& commit);

 private:
  std::string resolve_path(const HubRepo& repo, const std::string& file) const;
  std::optional<HubFileInfo> file_info(const HubRepo& repo, const std::string& file);
  void check_status(const HubRepo& repo, const HttpSession::Answer& answer) const;
  HttpSession& session(const HubRepo& repo);

  HubSettings settings_;
  DownloadObserver& observer_;
  std::unique_ptr<HttpSession> session_;
};

}  // namespace openclip
