#include "tasks/index_feed.h"

#define XXH_INLINE_ALL
#include <sys/stat.h>
#include <xxhash.h>

#include <filesystem>

#include "base/error.h"
#include "tasks/feeds.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string absolute_path(const std::string& path) {
  std::error_code ec;
  const fs::path full = fs::absolute(path, ec);
  std::string text = (ec ? fs::path(path) : full).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

void stat_file(const std::string& path, Origin& origin) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return;
  origin.size = info.st_size;
  origin.mtime = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::string file_stamp(const std::string& path) {
  Origin origin;
  stat_file(path, origin);
  return fmt::format("{}:{}", origin.size, origin.mtime);
}

std::unique_ptr<IndexFeed> open_feed(const std::string& input) {
  if (is_vector_input(input)) return vector_feed(input);
  if (is_archive_name(input)) return tar_feed(input);
  for (const char* extension : {".csv", ".tsv", ".jsonl", ".parquet"})
    if (input.ends_with(extension)) return list_feed(input);
  return file_feed(input);
}

bool is_vector_input(const std::string& input) {
  std::error_code ec;
  if (input.ends_with(".index")) return fs::is_regular_file(input, ec);  // FAISS'; ours is a folder
  return input.ends_with(".npy") || fs::is_directory(input + "/img_emb", ec);
}

std::string content_hash(std::span<const uint8_t> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace openclip
