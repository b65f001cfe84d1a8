#include "serve/api/index_set.h"

#include "serve/api/mixed_embed.h"

namespace openclip {
namespace {

constexpr std::chrono::seconds kRefreshPause{2};

}  // namespace

IndexSet::IndexSet(const Context& context, const std::vector<NamedIndex>& indices) {
  for (const NamedIndex& named : indices)
    served_.push_back(std::make_unique<Served>(named.name, named.index,
                                               Searcher(context, named.index, nullptr, nullptr)));
}

const Searcher& IndexSet::find(const std::string& name) const {
  if (served_.empty())
    throw CallError(404, "there is no index here; start with serve --index INDEX");
  for (const auto& served : served_) {
    if (!name.empty() && served->name != name) continue;
    const Clock::time_point now = Clock::now();
    Clock::rep due = served->next_refresh.load();
    if (now.time_since_epoch().count() >= due &&
        served->next_refresh.compare_exchange_strong(
            due, (now + kRefreshPause).time_since_epoch().count()))
      served->index->refresh();
    return served->searcher;
  }
  throw CallError(404, fmt::format("there is no index '{}' here", name));
}

std::vector<std::string> IndexSet::names() const {
  std::vector<std::string> names;
  for (const auto& served : served_) names.push_back(served->name);
  return names;
}

std::vector<float> query_vector(const Call& call, Backend& backend, const Searcher& searcher,
                                std::vector<QueryTerm> terms) {
  std::vector<EmbeddingInput> inputs;
  std::vector<size_t> places;
  for (size_t i = 0; i < terms.size(); ++i)
    if (const auto* text = std::get_if<std::string>(&terms[i].what)) {
      inputs.emplace_back(*text);
      places.push_back(i);
    }
  if (!inputs.empty()) {
    const size_t dim = backend.engine().dim();
    const std::vector<float> rows = embed_inputs(call, backend, inputs);
    for (size_t i = 0; i < places.size(); ++i)
      terms[places[i]].what = std::vector<float>(rows.begin() + static_cast<long>(i * dim),
                                                 rows.begin() + static_cast<long>((i + 1) * dim));
  }
  return searcher.query_vector(terms);
}

std::string picture_path(const IndexSet& indices, const std::string& index, int64_t id) {
  const bool first = index.empty() || index == indices.names().front();
  return fmt::format("/pictures/{}{}", id, first ? "" : "?index=" + index);
}

}  // namespace openclip
