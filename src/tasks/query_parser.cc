// "red dress" + 0.5 image:shoe.jpg - "sleeves"
#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "tasks/image_source.h"
#include "tasks/search.h"

namespace openclip {
namespace {

constexpr size_t kMaxTerms = 1000;

class QueryParser {
 public:
  QueryParser(std::string_view text, bool read_images) : text_(text), read_images_(read_images) {}

  std::vector<QueryTerm> parse() {
    std::vector<QueryTerm> terms;
    double sign = accept('-') ? -1 : 1;
    while (true) {
      if (terms.size() == kMaxTerms) fail("too many terms");
      QueryTerm term = operand_with_weight();
      term.weight *= sign;
      terms.push_back(std::move(term));
      skip_space();
      if (at_ == text_.size()) return terms;
      if (accept('+'))
        sign = 1;
      else if (accept('-'))
        sign = -1;
      else
        fail("expected + or -");
    }
  }

 private:
  [[noreturn]] void fail(const char* problem) const {
    throw InvalidArgument(fmt::format(
        "query '{}': {} at character {}; write it as \"red dress\" + 0.5 image:F.jpg - \"sleeves\"",
        text_, problem, at_ + 1));
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool accept(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  template <class Number>
  bool number(Number& value) {
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) return false;
    at_ = static_cast<size_t>(end - text_.data());
    return true;
  }

  QueryTerm operand_with_weight() {
    skip_space();
    double weight = 1;
    if (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '.')) {
      if (!number(weight)) fail("expected a weight");
      accept('*');
      skip_space();
    }
    if (accept("id:")) {
      int64_t id = 0;
      if (!number(id)) fail("expected a number");
      return {id, weight};
    }
    if (accept("image:")) {
      if (!read_images_) fail("pictures cannot be named here");
      std::string path = at_ < text_.size() && text_[at_] == '"' ? quoted() : word();
      std::vector<uint8_t> bytes = read_file(path, kMaxImageBytes);
      return {ImageBytes{std::move(path), std::move(bytes)}, weight};
    }
    if (at_ < text_.size() && text_[at_] == '"') return {quoted(), weight};
    fail("expected \"a text\", image:FILE or id:NUMBER");
  }

  std::string word() {
    const size_t end = std::min(text_.find_first_of(" \t", at_), text_.size());
    std::string word(text_.substr(at_, end - at_));
    at_ = end;
    if (word.empty()) fail("expected a file");
    return word;
  }

  std::string quoted() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (out.empty()) fail("a text is empty");
        return out;
      }
      if (c == '\\' && at_ + 1 < text_.size()) c = text_[++at_];
      out += c;
    }
    fail("a text does not end");
  }

  std::string_view text_;
  bool read_images_;
  size_t at_ = 0;
};

}  // namespace

std::vector<QueryTerm> parse_query(std::string_view expression, bool read_images) {
  return QueryParser(expression, read_images).parse();
}

}  // namespace openclip
