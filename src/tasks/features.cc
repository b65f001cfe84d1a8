#include "tasks/features.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace openclip {
namespace {

using Ids = std::vector<int32_t>;

// The distinct token lists of `texts`, and for each text the number of its list.
struct DistinctTexts {
  std::vector<Ids> ids;
  std::vector<size_t> of_text;
};

DistinctTexts tokenize_distinct(const Tokenizer& tokenizer, int context_length,
                                std::span<const std::string> texts) {
  DistinctTexts distinct;
  std::map<Ids, size_t> numbers;
  for (const std::string& text : texts) {
    Ids ids = tokenizer.encode(text, context_length);
    const auto [found, is_new] = numbers.try_emplace(std::move(ids), numbers.size());
    if (is_new) distinct.ids.push_back(found->first);
    distinct.of_text.push_back(found->second);
  }
  return distinct;
}

}  // namespace

void normalize_rows(std::span<float> rows, int64_t dim) {
  for (size_t begin = 0; begin < rows.size(); begin += static_cast<size_t>(dim)) {
    const std::span<float> row = rows.subspan(begin, static_cast<size_t>(dim));
    double sum = 0;
    for (const float x : row) sum += static_cast<double>(x) * x;
    const float scale = static_cast<float>(1.0 / std::max(std::sqrt(sum), 1e-12));
    for (float& x : row) x *= scale;
  }
}

std::vector<float> encode_texts(const Context& context, const Model& model,
                                const Tokenizer& tokenizer, std::span<const std::string> texts,
                                bool normalize) {
  const size_t dim = static_cast<size_t>(model.config().embed_dim);
  const DistinctTexts distinct =
      tokenize_distinct(tokenizer, model.config().text.context_length, texts);
  const std::span<const Ids> ids = distinct.ids;
  std::vector<float> features(ids.size() * dim);
  model.encode_text(context, ids, features.data());
  if (normalize) normalize_rows(features, static_cast<int64_t>(dim));
  if (ids.size() == texts.size()) return features;  // all distinct, so in order already
  std::vector<float> out(texts.size() * dim);
  for (size_t i = 0; i < texts.size(); ++i)
    std::copy_n(features.data() + distinct.of_text[i] * dim, dim, out.data() + i * dim);
  return out;
}

}  // namespace openclip
