#include "io/csv.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {
namespace {

char most_frequent_separator(std::string_view line) {
  char best = ',';
  long most = 0;
  for (const char separator : {',', ';', '\t'}) {
    const long count = std::count(line.begin(), line.end(), separator);
    if (count > most) {
      best = separator;
      most = count;
    }
  }
  return best;
}

}  // namespace

CsvReader::CsvReader(std::string source, std::string_view text, const CsvOptions& options)
    : source_(std::move(source)), text_(text), options_(options) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  separator_ = most_frequent_separator(text_.substr(0, text_.find('\n')));
}

void CsvReader::fail(const char* problem) const {
  throw ParseError(source_, fmt::format("line {}: {}", record_line_, problem));
}

std::string CsvReader::quoted() {
  std::string out;
  for (++at_; at_ < text_.size(); ++at_) {
    if (at_ - record_begin_ > options_.max_record_bytes) fail("a record is too long");
    if (text_[at_] == '\n') ++line_;
    if (text_[at_] == '"') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '"') return out;
    }
    out += text_[at_];
  }
  fail("a quoted field does not end");
}

std::string CsvReader::field() {
  if (at_ < text_.size() && text_[at_] == '"') {
    std::string value = quoted();
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n')
      fail("text behind a quoted field");
    return value;
  }
  const size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') ++at_;
  if (at_ - record_begin_ > options_.max_record_bytes) fail("a record is too long");
  std::string value(text_.substr(begin, at_ - begin));
  if (!value.empty() && value.back() == '\r' && (at_ == text_.size() || text_[at_] == '\n'))
    value.pop_back();
  return value;
}

std::optional<std::vector<std::string>> CsvReader::next() {
  while (at_ < text_.size()) {
    record_line_ = line_;
    record_begin_ = at_;
    std::vector<std::string> fields;
    while (true) {
      if (fields.size() == options_.max_columns) fail("too many columns");
      fields.push_back(field());
      if (at_ == text_.size() || text_[at_] == '\n') break;
      ++at_;  // the separator
    }
    if (at_ < text_.size()) {
      ++at_;
      ++line_;
    }
    if (fields.size() > 1 || !fields[0].empty()) return fields;
  }
  return std::nullopt;
}

}  // namespace openclip
