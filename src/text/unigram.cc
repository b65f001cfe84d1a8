#include "text/unigram.h"

#include <algorithm>
#include <array>
#include <limits>

#include "text/utf8.h"

namespace openclip {
namespace {

constexpr double kUnknownPenalty = 10;

}  // namespace

// The best way to cut the text up to one byte.
struct UnigramModel::Node {
  static constexpr size_t kUnreached = std::numeric_limits<size_t>::max();
  double score = 0;
  size_t begin = kUnreached;  // of the last token
  int32_t id = TokenTable::kNoToken;

  void offer(double candidate, size_t from, int32_t token) {
    if (begin == kUnreached || candidate > score) *this = {candidate, from, token};
  }
};

UnigramModel::UnigramModel(std::shared_ptr<const TokenTable> tokens, std::vector<double> scores,
                           int32_t unknown, bool byte_fallback)
    : tokens_(std::move(tokens)),
      scores_(std::move(scores)),
      unknown_(unknown),
      byte_fallback_(byte_fallback) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const double score : scores_) lowest = std::min(lowest, score);
  unknown_score_ = lowest - kUnknownPenalty;
}

void UnigramModel::search(std::string_view word, std::vector<Node>* nodes) const {
  nodes->assign(word.size() + 1, {});
  for (size_t begin = 0; begin < word.size();) {
    const double before = (*nodes)[begin].score;
    size_t first_end = begin;
    next_code_point(word, &first_end);
    bool covers_first = false;
    // Tokens are whole characters, so only their ends can be ends of tokens.
    const size_t most = std::min(word.size(), begin + tokens_->longest());
    for (size_t end = first_end; end <= most;) {
      const int32_t id = tokens_->find(word.substr(begin, end - begin));
      if (id >= 0 && static_cast<size_t>(id) < scores_.size()) {
        (*nodes)[end].offer(before + scores_[static_cast<size_t>(id)], begin, id);
        covers_first |= end == first_end;
      }
      if (end == word.size()) break;
      next_code_point(word, &end);
    }
    if (!covers_first) (*nodes)[first_end].offer(before + unknown_score_, begin, unknown_);
    begin = first_end;
  }
}

void UnigramModel::append_unknown(std::string_view text, std::vector<int32_t>* ids) const {
  const int32_t id = tokens_->find(text);
  if (id >= 0)
    ids->push_back(id);
  else if (!byte_fallback_ || !append_byte_tokens(*tokens_, text, ids))
    ids->push_back(unknown_);
}

void UnigramModel::encode_word(std::string_view word, std::vector<int32_t>* ids) const {
  thread_local std::vector<Node> nodes;
  search(word, &nodes);
  struct Piece {
    size_t begin, end;
    int32_t id;
  };
  std::vector<Piece> pieces;  // from the last to the first
  for (size_t end = word.size(); end > 0; end = nodes[end].begin) {
    const Node& node = nodes[end];
    if (node.id == unknown_ && !pieces.empty() && pieces.back().id == unknown_)
      pieces.back().begin = node.begin;
    else
      pieces.push_back({node.begin, end, node.id});
  }
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    if (piece->id == unknown_)
      append_unknown(word.substr(piece->begin, piece->end - piece->begin), ids);
    else
      ids->push_back(piece->id);
  }
  if (nodes.capacity() > 4096) std::vector<Node>().swap(nodes);
}

bool append_byte_tokens(const TokenTable& tokens, std::string_view bytes,
                        std::vector<int32_t>* ids) {
  const size_t before = ids->size();
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    const std::array<char, 6> name = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    const int32_t id = tokens.find({name.data(), name.size()});
    if (id < 0) {
      ids->resize(before);
      return false;
    }
    ids->push_back(id);
  }
  return true;
}

}  // namespace openclip
