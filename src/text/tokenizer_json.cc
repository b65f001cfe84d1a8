#include "text/tokenizer_json.h"

#include "base/error.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxDepth = 64;

// Builds `rest` from nlohmann's events, except for the two lists.
class Handler : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(TokenizerJson* out) : out_(out) {}
  const std::string& problem() const { return problem_; }

  bool null() override { return value(nullptr); }
  bool boolean(bool flag) override { return value(flag); }
  bool number_integer(int64_t number) override { return numeric(number); }
  bool number_unsigned(uint64_t number) override { return numeric(number); }
  bool number_float(double number, const std::string&) override { return numeric(number); }
  bool binary(binary_t&) override { return fail("has binary data"); }

  bool string(std::string& text) override {
    if (list_ == List::none) return value(text);
    if (list_ == List::vocab) {
      if (depth_ != 2 || pending_) return fail("model.vocab is malformed");
      out_->vocab.add(text);
      return pending_ = true;
    }
    if (depth_ == 1) out_->merge_is_pair.push_back(false);
    ++pair_size_;
    out_->merges.add(text);
    return true;
  }

  bool key(std::string& text) override {
    if (list_ == List::none) {
      key_ = text;
      return true;
    }
    if (list_ != List::vocab || depth_ != 1 || pending_) return fail("model is malformed");
    out_->vocab.add(text);
    return pending_ = true;
  }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t at, const std::string&, const Json::exception&) override {
    return fail(fmt::format("not valid JSON at byte {}", at));
  }

 private:
  enum class List { none, vocab, merges };

  bool fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }

  template <class Number>
  bool numeric(Number number) {
    if (list_ == List::none) return value(number);
    if (list_ != List::vocab || !pending_) return fail("model has a number where a text belongs");
    pending_ = false;
    out_->numbers.push_back(static_cast<double>(number));
    return true;
  }

  template <class Value>
  bool value(Value&& item) {
    if (list_ != List::none) return fail("model.vocab or model.merges is malformed");
    return place(Json(std::forward<Value>(item))) != nullptr;
  }

  // Puts an item into the innermost container, or makes it the whole.
  Json* place(Json item) {
    if (open_.empty()) {
      out_->rest = std::move(item);
      return &out_->rest;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(item));
      return &parent.back();
    }
    return &(parent[key_] = std::move(item));
  }

  bool open(Json container) {
    if (list_ != List::none) {
      ++depth_;
      pair_size_ = 0;
      return depth_ <= 2 || fail("model.vocab or model.merges is nested too deeply");
    }
    if (open_.size() == 2 && in_model_ && (key_ == "vocab" || key_ == "merges")) {
      list_ = key_ == "vocab" ? List::vocab : List::merges;
      depth_ = 1;
      return true;
    }
    if (open_.size() == kMaxDepth) return fail("is nested too deeply");
    if (open_.size() == 1) in_model_ = key_ == "model";
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    if (list_ == List::none) {
      open_.pop_back();
      return true;
    }
    if (pending_) return fail("a token of model.vocab lacks its number");
    --depth_;
    if (depth_ == 0)
      list_ = List::none;
    else if (list_ == List::merges) {
      if (pair_size_ != 2) return fail("a merge is not a pair of tokens");
      out_->merge_is_pair.push_back(true);
    }
    return true;
  }

  TokenizerJson* out_;
  std::vector<Json*> open_;  // from the outermost; stable, as only the innermost grows
  std::string key_, problem_;
  bool in_model_ = false, pending_ = false;  // pending: a token waits for its number
  List list_ = List::none;
  int depth_ = 0, pair_size_ = 0;  // within the list
};

}  // namespace

TokenizerJson read_tokenizer_json(const std::string& source, std::string_view text) {
  TokenizerJson out;
  Handler handler(&out);
  if (!Json::sax_parse(text.begin(), text.end(), &handler))
    throw ParseError(source, handler.problem().empty() ? "not valid JSON" : handler.problem());
  if (!out.rest.is_object()) throw ParseError(source, "not a tokenizer");
  if (out.vocab.size() != out.numbers.size())
    throw ParseError(source, "a token of model.vocab lacks its number");
  return out;
}

}  // namespace openclip
