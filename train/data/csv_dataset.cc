#include "base/error.h"
#include "base/file.h"
#include "data/table_dataset.h"

namespace openclip::train {
namespace {

constexpr size_t kMaxTableBytes = size_t{8} << 30;

// Splits RFC 4180 text record by record: fields may be quoted, with "" for a quote, and then hold
// separators and line ends.
class CsvReader {
 public:
  CsvReader(const std::string& path, char separator)
      : text_(read_text_file(path, kMaxTableBytes)), separator_(separator) {}

  // False at the end.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (at_ >= text_.size()) return false;
    ++record_;
    while (true) {
      fields.push_back(field());
      if (at_ >= text_.size()) return true;
      const char end = text_[at_++];
      if (end == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      if (end != separator_) return true;
    }
  }

  int64_t record() const { return record_; }

 private:
  std::string field() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      ++at_;
      while (at_ < text_.size()) {
        if (text_[at_] == '"') {
          if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
          ++at_;
        }
        value += text_[at_++];
      }
      ++at_;  // the closing quote
    }
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' &&
           text_[at_] != '\r')
      value += text_[at_++];
    return value;
  }

  std::string text_;
  char separator_;
  size_t at_ = 0;
  int64_t record_ = 0;
};

size_t column(const std::vector<std::string>& header, const std::string& name,
              const std::string& path, const char* flag) {
  for (size_t i = 0; i < header.size(); ++i)
    if (header[i] == name) return i;
  throw ParseError(
      path, fmt::format("has no column '{}' ({}; the separator is --csv-separator)", name, flag));
}

}  // namespace

std::unique_ptr<Dataset> open_csv(const CsvOptions& options) {
  check_arg(options.separator.size() == 1 || options.separator == "\\t",
            "--csv-separator '{}' must be one character", options.separator);
  CsvReader reader(options.path, options.separator == "\\t" ? '\t' : options.separator[0]);
  std::vector<std::string> fields;
  if (!reader.next(fields)) throw ParseError(options.path, "is empty");
  const size_t image = column(fields, options.image_key, options.path, "--csv-img-key");
  const size_t caption = column(fields, options.caption_key, options.path, "--csv-caption-key");
  std::vector<TableRow> rows;
  while (reader.next(fields)) {
    if (fields.size() == 1 && fields[0].empty()) continue;  // blank line
    if (fields.size() <= std::max(image, caption))
      throw ParseError(options.path,
                       fmt::format("record {} has only {} fields", reader.record(), fields.size()));
    rows.push_back({fields[image], {}});
    rows.back().text.by_key = {{fields[caption]}};
  }
  if (rows.empty()) throw ParseError(options.path, "holds no sample");
  return make_table(std::move(rows), options.max_image_pixels);
}

}  // namespace openclip::train
