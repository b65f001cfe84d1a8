// A picture, or all pictures of a folder.
#include <deque>

#include "tasks/feeds.h"

namespace openclip {
namespace {

class FileFeed final : public IndexFeed {
 public:
  explicit FileFeed(const std::string& input) : IndexFeed(absolute_path(input)) {
    ImageSource images({source()});
    while (std::optional<ImageRef> ref = images.next()) refs_.push_back(std::move(*ref));
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
    stat_file(entry.image.name, entry.origin);
    return entry;
  }

  std::optional<int64_t> total() const override { return total_; }
  bool complete() const override { return complete_; }

 private:
  std::deque<ImageRef> refs_;
  int64_t total_ = 0;
  bool complete_ = true;
};

}  // namespace

std::unique_ptr<IndexFeed> file_feed(const std::string& input) {
  return std::make_unique<FileFeed>(input);
}

}  // namespace openclip
