// The writing half of the Hub's cache. Rank 3.
#pragma once

#include <string>

#include "io/hub/protocol.h"

namespace openclip {

/// Where the parts of one file lie.
struct HubPaths {
  std::string cache;     // the cache itself
  std::string blob;      // blobs/ETAG, the content
  std::string snapshot;  // snapshots/COMMIT/FILE, a link to the blob
  std::string lock;      // .locks/models--ORG--NAME/ETAG.lock
};

HubPaths hub_paths(const std::string& repo, const std::string& commit, const std::string& etag,
                   const std::string& file);

/// Folders for all of `paths`, and the tag that keeps back-ups out of caches. Throws: IoError.
void make_hub_folders(const HubPaths& paths);

/// Makes paths.snapshot a relative link to paths.blob, or a copy where links cannot be made.
/// Throws: IoError.
void link_snapshot(const HubPaths& paths);

/// refs/REVISION = commit, unless it says so already or the revision is the commit itself.
/// Throws: IoError.
void write_hub_ref(const std::string& repo, const std::string& revision, const std::string& commit);

}  // namespace openclip
