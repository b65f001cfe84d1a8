#include "tasks/index_feed.h"

#define XXH_INLINE_ALL
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <deque>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/npy.h"
#include "io/webdataset.h"
#include "tasks/embed.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  std::error_code ec;
  const fs::path full = fs::absolute(path, ec);
  std::string text = (ec ? fs::path(path) : full).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// Size and time of a file; zeros where it cannot be asked.
void stat_file(const std::string& path, Origin& origin) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return;
  origin.size = info.st_size;
  origin.mtime = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

// A file or all pictures of a folder.
class FileFeed final : public IndexFeed {
 public:
  explicit FileFeed(const std::string& input) : input_(absolute(input)) {
    ImageSource source({input_});
    while (std::optional<ImageRef> ref = source.next()) refs_.push_back(std::move(*ref));
    total_ = static_cast<int64_t>(refs_.size());
  }

  std::optional<IndexEntry> next() override {
    if (refs_.empty()) return std::nullopt;
    IndexEntry entry;
    entry.image = std::move(refs_.front());
    refs_.pop_front();
    entry.problem = entry.image.problem;
    complete_ = complete_ && entry.problem.empty();
    entry.item.path = entry.image.name;
    entry.origin.source = input_;
    stat_file(entry.image.name, entry.origin);
    return entry;
  }

  std::optional<int64_t> total() const override { return total_; }
  bool complete() const override { return complete_; }

 private:
  std::string input_;
  std::deque<ImageRef> refs_;
  int64_t total_ = 0;
  bool complete_ = true;
};

// Consecutive members with one key are a sample, as in webdataset: its pictures become entries, its
// .txt their title and its .json their fields.
class TarFeed final : public IndexFeed {
 public:
  explicit TarFeed(const std::string& path) : path_(absolute(path)), tar_(path_, options()) {}

  std::optional<IndexEntry> next() override {
    while (ready_.empty() && !ended_) read_member();
    if (ready_.empty()) return std::nullopt;
    IndexEntry entry = std::move(ready_.front());
    ready_.pop_front();
    return entry;
  }

  bool complete() const override { return complete_; }

 private:
  TarOptions options() {
    TarOptions options;
    options.wants = [](std::string_view name) {
      return has_image_extension(name) || name.ends_with(".txt") || name.ends_with(".json");
    };
    options.report = [this](const std::string& problem) { fail(problem); };
    return options;
  }

  void fail(const std::string& problem) {
    complete_ = false;
    ready_.emplace_back().problem = problem;
  }

  void read_member() {
    std::optional<TarMember> member;
    try {
      member = tar_.next();
    } catch (const Error& error) {
      fail(error.what());
    }
    ended_ = !member;
    const auto name = member ? split_webdataset_name(member->name) : std::nullopt;
    const std::string key = name ? name->first : member ? member->name : "";
    if (ended_ || key != key_) finish_sample();
    key_ = key;
    if (!member) return;
    const std::string_view text(reinterpret_cast<const char*>(member->bytes.data()),
                                member->bytes.size());
    if (has_image_extension(member->name)) {
      pictures_.push_back(std::move(*member));
    } else if (member->name.ends_with(".txt")) {
      title_ = text;
    } else {
      try {
        fields_ = parse_json(member->name, text);
      } catch (const Error&) {
        fields_ = Json::object();  // of the picture, not of the caption, the index is made
      }
    }
  }

  void finish_sample() {
    while (!title_.empty() && (title_.back() == '\n' || title_.back() == '\r')) title_.pop_back();
    for (TarMember& picture : pictures_) {
      IndexEntry& entry = ready_.emplace_back();
      entry.item.path = path_ + "/" + picture.name;
      entry.item.title = title_;
      if (fields_.is_object()) entry.item.fields = fields_;
      entry.origin.source = path_;
      entry.origin.size = static_cast<int64_t>(picture.bytes.size());
      entry.image.name = entry.item.path;
      entry.image.archive = path_;
      entry.image.member = std::move(picture.name);
      entry.image.bytes = std::move(picture.bytes);
    }
    pictures_.clear();
    title_.clear();
    fields_ = Json::object();
  }

  std::string path_;
  TarReader tar_;
  std::string key_, title_;
  Json fields_ = Json::object();
  std::vector<TarMember> pictures_;
  std::deque<IndexEntry> ready_;
  bool ended_ = false, complete_ = true;
};

NpyFile open_vectors(const std::string& path) {
  NpyFile file = NpyFile::open(path);
  check_arg(file.shape().size() == 2 && dtype_is_float(file.dtype()) && file.shape()[1] > 0,
            "{}: expected rows of floating-point numbers, [n, dim]", path);
  return file;
}

class NpyFeed final : public IndexFeed {
 public:
  explicit NpyFeed(const std::string& path) : path_(absolute(path)), file_(open_vectors(path_)) {
    std::error_code ec;
    const std::string names = rows_path(path_);
    if (!fs::exists(names, ec)) return;
    names_ = read_lines(names);
    check_arg(static_cast<int64_t>(names_.size()) == file_.shape()[0],
              "{}: has {} lines for the {} rows of {}", names, names_.size(), file_.shape()[0],
              path_);
  }

  std::optional<IndexEntry> next() override {
    if (row_ == file_.shape()[0]) return std::nullopt;
    const auto row = static_cast<size_t>(row_++);
    const auto dim = static_cast<size_t>(file_.shape()[1]);
    IndexEntry entry;
    entry.vector.resize(dim);
    file_.read_floats(row * dim, entry.vector);
    entry.origin.source = path_;
    entry.item.path = fmt::format("{}#{}", path_, row);
    if (!names_.empty()) describe(row, entry.item);
    return entry;
  }

  std::optional<int64_t> total() const override { return file_.shape()[0]; }
  bool complete() const override { return true; }

 private:
  // As embed writes them: {"row", "image"} or {"row", "text"}; other members become fields.
  void describe(size_t row, Item& item) {
    Json line = parse_json(fmt::format("{}:{}", rows_path(path_), row + 1), names_[row]);
    if (!line.is_object()) return;
    if (const Json* image = json_find(line, "image"); image != nullptr && image->is_string())
      item.path = absolute(image->get<std::string>());
    if (const Json* text = json_find(line, "text"); text != nullptr && text->is_string())
      item.title = text->get<std::string>();
    for (const char* known : {"row", "image", "text"}) line.erase(known);
    item.fields = std::move(line);
  }

  std::string path_;
  NpyFile file_;
  std::vector<std::string> names_;
  int64_t row_ = 0;
};

}  // namespace

std::unique_ptr<IndexFeed> picture_feed(const std::string& input) {
  if (is_archive_name(input)) return std::make_unique<TarFeed>(input);
  return std::make_unique<FileFeed>(input);
}

std::unique_ptr<IndexFeed> vector_feed(const std::string& npy_path) {
  return std::make_unique<NpyFeed>(npy_path);
}

int64_t vector_dim(const std::string& npy_path) { return open_vectors(npy_path).shape()[1]; }

std::string content_hash(std::span<const uint8_t> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace openclip
