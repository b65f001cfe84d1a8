#include "tasks/features.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "kernels/similarity.h"

namespace openclip {
namespace {

using Ids = std::vector<int32_t>;

// The distinct token lists of `texts`, and for each text the number of its list.
struct DistinctTexts {
  std::vector<Ids> ids;
  std::vector<size_t> of_text;
};

// Where states of padding reach the feature, the tokenizer's own padding must be there: SigLIP's is
// not what the config names.
bool sees_padding(const TextConfig& config) {
  return !config.hf && (!config.causal || config.pool == TextPool::last);
}

DistinctTexts tokenize_distinct(const Tokenizer& tokenizer, const TextConfig& config,
                                std::span<const std::string> texts, CutTexts* cut) {
  DistinctTexts distinct;
  std::map<Ids, size_t> numbers;
  for (const std::string& text : texts) {
    size_t cut_tokens = 0;
    size_t* const counter = cut == nullptr ? nullptr : &cut_tokens;
    Ids ids = text_ids(tokenizer, config, text, counter);
    if (cut_tokens > 0) cut->add(text, cut_tokens);
    const auto [found, is_new] = numbers.try_emplace(std::move(ids), numbers.size());
    if (is_new) distinct.ids.push_back(found->first);
    distinct.of_text.push_back(found->second);
  }
  return distinct;
}

}  // namespace

std::vector<int32_t> text_ids(const Tokenizer& tokenizer, const TextConfig& config,
                              std::string_view text, size_t* cut) {
  return sees_padding(config) ? tokenizer.encode_padded(text, config.context_length, cut)
                              : tokenizer.encode(text, config.context_length, cut);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const double ab = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
  return ab / std::max(std::sqrt(aa * bb), 1e-12);
}

void CutTexts::add(const std::string& text, size_t tokens) {
  ++count;
  if (tokens <= most_tokens) return;
  most_tokens = tokens;
  longest = text;
}

void normalize_rows(std::span<float> rows, int64_t dim) {
  for (size_t begin = 0; begin < rows.size(); begin += static_cast<size_t>(dim)) {
    const std::span<float> row = rows.subspan(begin, static_cast<size_t>(dim));
    double sum = 0;
    for (const float x : row) sum += static_cast<double>(x) * x;
    const float scale = static_cast<float>(1.0 / std::max(std::sqrt(sum), 1e-12));
    for (float& x : row) x *= scale;
  }
}

float dot(const float* a, const float* b, int64_t dim) {
  float sum = 0;
  kernels::dot_rows(a, static_cast<size_t>(dim), DType::f32, reinterpret_cast<const uint8_t*>(b), 1,
                    &sum);
  return sum;
}

std::vector<float> encode_texts(const Context& context, const Model& model,
                                const Tokenizer& tokenizer, std::span<const std::string> texts,
                                bool normalize, CutTexts* cut) {
  const size_t dim = static_cast<size_t>(model.config().embed_dim);
  const DistinctTexts distinct = tokenize_distinct(tokenizer, model.config().text, texts, cut);
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
