#include "tasks/search.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "models/preprocess_config.h"
#include "tasks/features.h"
#include "tasks/label_vectors.h"
#include "tasks/prepare_picture.h"

namespace openclip {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

// The hits that stay, near-duplicates put into the better one.
std::vector<SearchHit> fold_hits(const Index& index, std::span<const Hit> hits, double fold) {
  const auto dim = static_cast<size_t>(index.space().dim);
  std::vector<int64_t> ids;
  for (const Hit& hit : hits) ids.push_back(hit.id);
  const std::vector<float> vectors = fold > 0 ? index.vectors(ids) : std::vector<float>();
  const auto vector = [&](size_t i) { return std::span(vectors).subspan(i * dim, dim); };
  std::vector<SearchHit> kept;
  std::vector<size_t> places;
  for (size_t i = 0; i < hits.size(); ++i) {
    size_t into = kept.size();
    for (size_t j = 0; fold > 0 && j < kept.size() && into == kept.size(); ++j)
      if (dot(vector(places[j]), vector(i)) >= fold) into = j;
    if (into < kept.size()) {
      kept[into].folded.push_back(ids[i]);
      continue;
    }
    kept.emplace_back().item.id = ids[i];
    kept.back().score = hits[i].score;
    places.push_back(i);
  }
  return kept;
}

void cut(std::vector<Hit>& hits, double relative_cut) {
  if (hits.empty() || relative_cut <= 0) return;
  const double best = hits.front().score;
  const double lowest = best - (1 - relative_cut) * std::abs(best);
  std::erase_if(hits, [&](const Hit& hit) { return hit.score < lowest; });
}

}  // namespace

IndexSpace space_of(const ModelSource& source, DType dtype) {
  if (source.weights.empty()) throw NotFound(source.missing_weights);
  return {source.config.name, label_vectors_key(source, {}, {}), source.config.embed_dim, dtype};
}

void check_same_space(const std::string& index_name, const IndexSpace& index,
                      const IndexSpace& model) {
  check_arg(index.dim == model.dim,
            "{}: holds vectors of {} numbers{}, and the model {} makes {}; choose its --model",
            index_name, index.dim, index.model.empty() ? "" : " of the model " + index.model,
            model.model, model.dim);
  check_arg(index.model_key.empty() || index.model_key == model.model_key,
            "{}: was made with the model {}, not with {}{}; choose the same --model and "
            "--pretrained, or index again",
            index_name, index.model, model.model,
            index.model == model.model ? " of these weights" : "");
}

std::vector<QueryTerm> recommendation(std::span<const int64_t> likes,
                                      std::span<const int64_t> dislikes) {
  std::vector<QueryTerm> terms;
  const auto add = [&](std::span<const int64_t> ids, double weight) {
    for (const int64_t id : ids) {
      terms.emplace_back().what = id;
      terms.back().weight = weight / static_cast<double>(ids.size());
    }
  };
  add(likes, 1);
  add(dislikes, -0.5);
  return terms;
}

std::vector<float> Searcher::term_vector(const QueryTerm& term) const {
  const auto dim = static_cast<size_t>(index_->space().dim);
  std::vector<float> vector(dim);
  if (const auto* given = std::get_if<std::vector<float>>(&term.what)) {
    check_arg(given->size() == dim, "a vector of {} numbers for an index of {}", given->size(),
              dim);
    vector = *given;
  } else if (const auto* id = std::get_if<int64_t>(&term.what)) {
    vector = index_->vectors(std::span(id, 1));
  } else {
    const auto* text = std::get_if<std::string>(&term.what);
    check_arg(model_ != nullptr && (text == nullptr || tokenizer_ != nullptr),
              "this index is searched without a model; ask by ids or vectors");
    check_arg(static_cast<size_t>(model_->config().embed_dim) == dim,
              "the model makes {} numbers, the index holds {}", model_->config().embed_dim, dim);
    if (text != nullptr) {
      vector = encode_texts(context_, *model_, *tokenizer_, std::span(text, 1));
    } else {
      const auto& picture = std::get<ImageBytes>(term.what);
      const PreprocessConfig config = preprocess_config(model_->config());
      const std::vector<float> pixels =
          tower_pixels(decode_image(picture.bytes, picture.name), config);
      model_->encode_image(context_, pixels.data(), 1, vector.data());
    }
  }
  normalize_rows(vector, static_cast<int64_t>(dim));
  return vector;
}

std::vector<float> Searcher::query_vector(std::span<const QueryTerm> terms) const {
  check_arg(!terms.empty(), "nothing is searched for; give a text, a picture or an id");
  std::vector<float> sum(static_cast<size_t>(index_->space().dim));
  for (const QueryTerm& term : terms) {
    check_arg(std::isfinite(term.weight), "a weight must be a number");
    const std::vector<float> vector = term_vector(term);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<float>(term.weight) * vector[i];
  }
  check_arg(dot(sum, sum) > 1e-12, "the terms of the query cancel out; change a weight");
  normalize_rows(sum, static_cast<int64_t>(sum.size()));
  return sum;
}

std::vector<SearchHit> Searcher::search(const SearchRequest& request) const {
  return search(query_vector(request.terms), request);
}

std::vector<SearchHit> Searcher::search(std::span<const float> query,
                                        const SearchRequest& request) const {
  check_arg(request.relative_cut >= 0 && request.relative_cut <= 1,
            "the relative cut must be between 0 and 1, got {}", request.relative_cut);
  check_arg(request.fold >= 0 && request.fold <= 1, "fold must be between 0 and 1, got {}",
            request.fold);
  IndexQuery ask{.k = request.k,
                 .where = request.where,
                 .exclude = {},
                 .exact = request.exact,
                 .width = request.width};
  for (const QueryTerm& term : request.terms)
    if (const auto* id = std::get_if<int64_t>(&term.what)) ask.exclude.push_back(*id);
  std::vector<SearchHit> kept;
  // Folding leaves fewer than asked for: look further until there are enough or no more.
  for (ask.k = request.fold > 0 ? 2 * request.k : request.k;; ask.k *= 4) {
    std::vector<Hit> hits = std::move(index_->search(context_, query, ask).front());
    const bool all = hits.size() < ask.k;
    const size_t found = hits.size();
    cut(hits, request.relative_cut);
    kept = fold_hits(*index_, hits, request.fold);
    if (kept.size() >= request.k || all || hits.size() < found) break;
  }
  if (kept.size() > request.k) kept.resize(request.k);
  std::vector<int64_t> ids;
  for (const SearchHit& hit : kept) ids.push_back(hit.item.id);
  std::vector<std::optional<Item>> items = index_->items(ids);
  for (size_t i = 0; i < kept.size(); ++i)
    if (items[i]) kept[i].item = std::move(*items[i]);
  return kept;
}

}  // namespace openclip
