#include "text/sentencepiece_definition.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "text/bpe.h"
#include "text/sentencepiece_file.h"
#include "text/unigram.h"
#include "text/utf8.h"

namespace openclip {
namespace {

struct Entry {
  std::string_view text;
  double score;
};

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

class Builder {
 public:
  Builder(const std::string& source, std::string_view bytes, const SentencePieceOptions& options)
      : source_(source), options_(options), file_(parse_sentencepiece(source, bytes)) {}

  HfDefinition build() {
    choose_vocabulary();
    definition_.tokens = std::make_shared<TokenTable>();
    TokenTable& tokens = *definition_.tokens;
    size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.text.size();
    tokens.reserve(entries_.size(), bytes);
    for (size_t id = 0; id < entries_.size(); ++id)
      tokens.add(entries_[id].text, static_cast<int32_t>(id));
    definition_.spelling = TokenSpelling::metaspace;
    add_model();
    add_normalizer();
    add_special_tokens();
    definition_.sort_added_tokens();
    return std::move(definition_);
  }

 private:
  bool is(SentencePieceFamily family) const { return options_.family == family; }

  // XLM-RoBERTa and Gemma have their own tokens before those of the file.
  void choose_vocabulary() {
    if (is(SentencePieceFamily::xlm_roberta))
      for (const char* text : {"<s>", "<pad>", "</s>", "<unk>"}) entries_.push_back({text, 0});
    if (is(SentencePieceFamily::gemma))
      for (const char* text : {"<pad>", "<eos>", "<bos>"}) entries_.push_back({text, 0});
    for (size_t i = entries_.empty() ? 0 : 3; i < file_.pieces.size(); ++i)
      entries_.push_back({file_.pieces[i].text, file_.pieces[i].score});
    if (is(SentencePieceFamily::xlm_roberta)) entries_.push_back({"<mask>", 0});
    if (is(SentencePieceFamily::gemma)) rename_tab();
    unknown_ = is(SentencePieceFamily::t5) ? file_.unknown_id : 3;
    if (static_cast<size_t>(unknown_) >= entries_.size())
      throw ParseError(source_, "has no room for the special tokens of its kind");
  }

  // Old vocabularies of Gemma lack the tab; its byte's token stands in.
  void rename_tab() {
    const auto find = [&](std::string_view text) {
      return std::find_if(entries_.begin(), entries_.end(),
                          [&](const Entry& entry) { return entry.text == text; });
    };
    if (const auto byte = find("<0x09>"); find("\t") == entries_.end() && byte != entries_.end())
      *byte = {"\t", 0};
  }

  void add_model() {
    if (file_.algorithm == SentencePieceFile::Algorithm::unigram) {
      std::vector<double> scores;
      for (const Entry& entry : entries_) scores.push_back(entry.score);
      definition_.model = std::make_shared<UnigramModel>(definition_.tokens, std::move(scores),
                                                         unknown_, is(SentencePieceFamily::gemma));
      return;
    }
    definition_.model = std::make_shared<CharacterBpe>(
        definition_.tokens, merges(),
        CharacterBpe::Options{.unknown = unknown_,
                              .fuse_unknown = true,
                              .byte_fallback = is(SentencePieceFamily::gemma)});
  }

  // The file has scores and no merges: every cut of a token into two tokens is one, the best scores
  // first, then the longer left and right halves.
  BpeMerges merges() const {
    struct Merge {
      int32_t left, right, merged;
      double score;
      size_t left_size, right_size;
    };
    std::vector<Merge> all;
    const TokenTable& tokens = *definition_.tokens;
    for (int32_t id = 0; id < tokens.size(); ++id) {
      const std::string_view text = entries_[static_cast<size_t>(id)].text;
      if (tokens.find(text) != id) continue;  // a double, of which the last one counts
      const size_t first = all.size();
      size_t at = 0;
      for (next_code_point(text, &at); at < text.size(); next_code_point(text, &at)) {
        const std::string_view left = text.substr(0, at), right = text.substr(at);
        const int32_t left_id = tokens.find(left), right_id = tokens.find(right);
        if (left_id >= 0 && right_id >= 0)
          all.push_back({left_id, right_id, id, entries_[static_cast<size_t>(id)].score,
                         characters(left), characters(right)});
      }
      std::sort(all.begin() + static_cast<ptrdiff_t>(first), all.end(),
                [](const Merge& a, const Merge& b) {
                  return std::tie(a.left, a.right) < std::tie(b.left, b.right);
                });
    }
    std::stable_sort(all.begin(), all.end(), [](const Merge& a, const Merge& b) {
      return std::tie(a.score, a.left_size, a.right_size) >
             std::tie(b.score, b.left_size, b.right_size);
    });
    BpeMerges merges(all.size());
    for (const Merge& merge : all) merges.add(merge.left, merge.right, merge.merged);
    return merges;
  }

  void add_normalizer() {
    HfNormalizer& normalizer = definition_.normalizer;
    if (is(SentencePieceFamily::gemma)) {
      normalizer.add(normalizers::Replace{" ", "\u2581"});
      return definition_.splitter.add(splitters::After{" "});
    }
    if (!file_.charsmap.empty())
      normalizer.add(std::make_shared<const Charsmap>(source_, file_.charsmap));
    normalizer.add(normalizers::Strip{.left = false, .right = true});
    normalizer.add(normalizers::ReplaceSpaces{"\u2581"});
    splitters::Metaspace splitter;
    if (is(SentencePieceFamily::t5) && !options_.legacy)
      splitter.prepend = splitters::Prepend::first;
    if (is(SentencePieceFamily::t5) && !options_.prefix_space)
      splitter.prepend = splitters::Prepend::never;
    definition_.splitter.add(splitter);
  }

  int32_t known(const char* token) const {
    const int32_t id = definition_.tokens->find(token);
    if (id < 0) throw ParseError(source_, fmt::format("lacks the token {}", token));
    return id;
  }

  void add_special_tokens() {
    for (const SentencePieceFile::Piece& piece : file_.pieces)
      if (piece.type == PieceType::control || piece.type == PieceType::user_defined)
        if (const int32_t id = definition_.tokens->find(piece.text); id >= 0)
          definition_.add({.content = std::string(piece.text), .id = id}, /*normalized=*/false);
    const bool gemma = is(SentencePieceFamily::gemma);
    for (const char* token : {"<s>", "<bos>", "</s>", "<eos>", "<pad>", "<unk>"})
      add_if_known(token, /*lstrip=*/false);
    if (is(SentencePieceFamily::xlm_roberta)) add_if_known("<mask>", /*lstrip=*/true);
    if (is(SentencePieceFamily::xlm_roberta)) definition_.start_id = known("<s>");
    if (gemma && options_.add_start) definition_.start_id = known("<bos>");
    if (!gemma || options_.add_end) definition_.end_id = known(gemma ? "<eos>" : "</s>");
  }

  void add_if_known(const char* token, bool lstrip) {
    const int32_t id = definition_.tokens->find(token);
    const auto same = [&](const AddedToken& added) { return added.content == token; };
    std::vector<AddedToken>& list = definition_.before;
    if (id < 0) return;
    std::erase_if(list, same);
    definition_.add({.content = token, .id = id, .lstrip = lstrip}, /*normalized=*/false);
  }

  const std::string& source_;
  const SentencePieceOptions& options_;
  SentencePieceFile file_;
  std::vector<Entry> entries_;
  int32_t unknown_ = 0;
  HfDefinition definition_{};
};

}  // namespace

HfDefinition sentencepiece_definition(const std::string& source, std::string_view bytes,
                                      const SentencePieceOptions& options) {
  return Builder(source, bytes, options).build();
}

}  // namespace openclip
