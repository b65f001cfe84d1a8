// The JSON of a tokenizer.json, with its two large lists apart. Rank 3.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// Texts back to back in one block.
class TextList {
 public:
  void add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

/// A vocabulary has up to a million tokens, and as many merges: as JSON values they take half a
/// gigabyte, as texts a few megabytes.
struct TokenizerJson {
  nlohmann::json rest;                // the file without the members below
  TextList vocab{};                   // model.vocab: {token: id} or [[token, score], …]
  std::vector<double> numbers{};      // the ids or scores
  TextList merges{};                  // model.merges: "a b" as one text, ["a", "b"] as two
  std::vector<bool> merge_is_pair{};  // one entry a merge
};

/// Throws: ParseError for what is no JSON object, and for lists of another form.
TokenizerJson read_tokenizer_json(const std::string& source, std::string_view text);

}  // namespace openclip
