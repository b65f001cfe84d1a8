// A tar archive, webdataset's or plain.
#include <deque>

#include "base/error.h"
#include "io/webdataset.h"
#include "tasks/feeds.h"

namespace openclip {
namespace {

// Consecutive members with one key are a sample, as in webdataset: its pictures become entries, its
// .txt their title and its .json their fields.
class TarFeed final : public IndexFeed {
 public:
  explicit TarFeed(const std::string& path)
      : IndexFeed(absolute_path(path)), tar_(source(), options()) {}

  std::string stamp() const override { return file_stamp(source()); }

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
      entry.item.path = source() + "/" + picture.name;
      entry.item.title = title_;
      if (fields_.is_object()) entry.item.fields = fields_;
      entry.origin.size = static_cast<int64_t>(picture.bytes.size());
      entry.image.name = entry.item.path;
      entry.image.archive = source();
      entry.image.member = std::move(picture.name);
      entry.image.bytes = std::move(picture.bytes);
    }
    pictures_.clear();
    title_.clear();
    fields_ = Json::object();
  }

  TarReader tar_;
  std::string key_, title_;
  Json fields_ = Json::object();
  std::vector<TarMember> pictures_;
  std::deque<IndexEntry> ready_;
  bool ended_ = false, complete_ = true;
};

}  // namespace

std::unique_ptr<IndexFeed> tar_feed(const std::string& path) {
  return std::make_unique<TarFeed>(path);
}

}  // namespace openclip
