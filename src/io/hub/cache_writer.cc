#include "io/hub/cache_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/environment.h"
#include "base/error.h"
#include "base/file.h"
#include "io/http/partial_file.h"
#include "io/hub_cache.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// https://bford.info/cachedir/
constexpr std::string_view kCacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n";

// Where symbolic links are not possible (some network and FAT file systems) Python stores the file
// itself; the blob stays as a hard link where it can, else a second copy.
void copy_blob(const fs::path& blob, const fs::path& snapshot) {
  std::error_code error;
  fs::create_hard_link(blob, snapshot, error);
  if (error) fs::copy_file(blob, snapshot, fs::copy_options::overwrite_existing, error);
  if (error) throw IoError(fmt::format("{}: cannot write: {}", snapshot.string(), error.message()));
}

}  // namespace

HubPaths hub_paths(const std::string& repo, const std::string& commit, const std::string& etag,
                   const std::string& file) {
  const fs::path cache = hub_cache_dir();
  const fs::path root = cache / hub_repo_folder(repo);
  return {.cache = cache.string(),
          .blob = (root / "blobs" / etag).string(),
          .snapshot = (root / "snapshots" / commit / file).string(),
          .lock = (cache / ".locks" / hub_repo_folder(repo) / (etag + ".lock")).string()};
}

void make_hub_folders(const HubPaths& paths) {
  for (const std::string& path : {paths.blob, paths.snapshot, paths.lock})
    make_cache_folder(fs::path(path).parent_path().string());
  const fs::path tag = fs::path(paths.cache) / "CACHEDIR.TAG";
  std::error_code none;
  if (!fs::exists(tag, none)) write_file_atomic(tag.string(), kCacheTag);
}

void link_snapshot(const HubPaths& paths) {
  const fs::path target =
      fs::path(paths.blob).lexically_relative(fs::path(paths.snapshot).parent_path());
  // Made beside and renamed: the link of a blob that was deleted is replaced, and no moment is
  // without one.
  const std::string beside = fmt::format("{}.tmp{}", paths.snapshot, ::getpid());
  ::unlink(beside.c_str());
  if (::symlink(target.c_str(), beside.c_str()) != 0) return copy_blob(paths.blob, paths.snapshot);
  if (::rename(beside.c_str(), paths.snapshot.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    throw IoError(fmt::format("{}: cannot write: {}", paths.snapshot, std::strerror(error)));
  }
}

void write_hub_ref(const std::string& repo, const std::string& revision,
                   const std::string& commit) {
  if (revision == commit) return;
  const fs::path path = fs::path(hub_cache_dir()) / hub_repo_folder(repo) / "refs" / revision;
  if (is_file(path) && read_text_file(path.string(), 4096) == commit) return;
  make_cache_folder(path.parent_path().string());
  write_file_atomic(path.string(), commit);
}

}  // namespace openclip
