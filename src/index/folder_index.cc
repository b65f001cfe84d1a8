#include "index/folder_index.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "index/condition_sql.h"
#include "index/top_k.h"

namespace openclip {
namespace {

Item read_item(const Statement& row) {
  Item item{row.integer(0), row.text(1), row.text(2)};
  Json fields = Json::parse(row.text(3), nullptr, false);
  if (fields.is_object()) item.fields = std::move(fields);
  return item;
}

std::string checked_folder(const std::string& folder) {
  if (!std::filesystem::exists(database_path(folder)))
    throw NotFound(fmt::format("{}: no index is here; make one with 'openclip index DIR --out {}'",
                               folder, folder));
  return folder;
}

}  // namespace

FolderIndex::FolderIndex(const std::string& folder)
    : folder_(checked_folder(folder)), db_(database_path(folder), DatabaseMode::read_only) {
  load();
}

// One read transaction, so that slots and dead belong together.
void FolderIndex::load() {
  db_.run("BEGIN");
  try {
    const FolderState state = read_state(db_, database_path(folder_));
    auto loaded =
        std::make_shared<Snapshot>(Snapshot{VectorFile(folder_ + "/" + state.vectors, state.slots),
                                            SlotSet(state.slots, true), true, 0});
    const VectorFormat& format = loaded->file.format();
    if (format.dim != state.space.dim || format.dtype != state.space.dtype)
      throw ParseError(loaded->file.path(), "is not of this index; build the index anew");
    for (Statement rows = db_.prepare("SELECT slot FROM dead"); rows.step();) {
      const auto slot = static_cast<uint64_t>(rows.integer(0));
      if (slot >= state.slots) continue;
      loaded->live.remove(slot);
      loaded->all_live = false;
    }
    loaded->size = static_cast<int64_t>(loaded->live.count());
    if (std::filesystem::exists(graph_path(folder_)))
      loaded->graph = std::make_shared<Graph>(graph_path(folder_), state.slots);
    space_ = state.space;
    snapshot_ = std::move(loaded);
    db_.run("COMMIT");
  } catch (...) {
    try {
      db_.run("ROLLBACK");
    } catch (const Error&) {
      // The first error says more.
    }
    throw;
  }
}

void FolderIndex::refresh() {
  const std::lock_guard lock(mutex_);
  // Changes with every commit of another connection.
  std::string stamp;
  if (Statement row = db_.prepare("PRAGMA data_version"); row.step()) stamp = row.text(0);
  if (stamp == stamp_) return;
  load();
  stamp_ = stamp;
}

std::shared_ptr<const FolderIndex::Snapshot> FolderIndex::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

int64_t FolderIndex::size() const { return snapshot()->size; }

std::optional<GraphQuality> FolderIndex::graph() const {
  const auto state = snapshot();
  if (!state->graph) return std::nullopt;
  return state->graph->quality();
}

SlotSet FolderIndex::allowed_slots(const Snapshot& snapshot, const IndexQuery& query) const {
  const std::lock_guard lock(mutex_);
  SlotSet allowed = snapshot.live;
  if (!query.where.empty()) {
    SlotSet fitting(snapshot.file.slots());
    Statement rows = db_.prepare("SELECT slot FROM items WHERE 1" + sqlite_conditions(query.where));
    bind_conditions(rows, query.where, 1);
    while (rows.step())
      if (const auto slot = static_cast<uint64_t>(rows.integer(0)); slot < fitting.slots())
        fitting.add(slot);
    allowed.keep_only(fitting);
  }
  Statement row = db_.prepare("SELECT slot FROM items WHERE id = ?");
  for (const int64_t id : query.exclude) {
    if (row.bind(1, id).step())
      if (const auto slot = static_cast<uint64_t>(row.integer(0)); slot < allowed.slots())
        allowed.remove(slot);
    row.reset();
  }
  return allowed;
}

std::vector<std::vector<Hit>> FolderIndex::search(const Context& context,
                                                  std::span<const float> queries,
                                                  const IndexQuery& query) const {
  const std::shared_ptr<const Snapshot> state = snapshot();
  const bool all = state->all_live && query.where.empty() && query.exclude.empty();
  SlotSet allowed;
  if (!all) allowed = allowed_slots(*state, query);
  const SlotSet* among = all ? nullptr : &allowed;
  const bool by_graph = state->graph && !query.exact && query.where.empty();
  const auto found = by_graph ? search_graph(context, *state, queries, query, among)
                              : exact_search(context, state->file, queries, query.k, among);
  std::vector<std::vector<Hit>> results;
  for (const std::vector<SlotHit>& slots : found) {
    std::vector<Hit>& hits = results.emplace_back();
    for (const SlotHit& hit : slots) hits.push_back({state->file.id(hit.slot), hit.score});
  }
  return results;
}

// The graph knows the first slots; what was appended after it was built is searched exactly.
std::vector<std::vector<SlotHit>> FolderIndex::search_graph(const Context& context,
                                                            const Snapshot& snapshot,
                                                            std::span<const float> queries,
                                                            const IndexQuery& query,
                                                            const SlotSet* allowed) {
  const Graph& graph = *snapshot.graph;
  const auto dim = static_cast<size_t>(snapshot.file.format().dim);
  check_arg(queries.size() % dim == 0, "[search] queries of {} floats are not rows of {}",
            queries.size(), dim);
  const size_t width =
      query.width > 0 ? query.width : graph.quality().width * std::max<size_t>(1, query.k / 10);
  std::vector<std::vector<SlotHit>> results(queries.size() / dim);
  parallel_for(context.threads(), results.size(), 1, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i)
      results[i] =
          graph.search(snapshot.file, queries.subspan(i * dim, dim), query.k, width, allowed);
  });
  if (graph.view().count == snapshot.file.slots()) return results;
  const auto rest =
      exact_search(context, snapshot.file, queries, query.k, allowed, graph.view().count);
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].insert(results[i].end(), rest[i].begin(), rest[i].end());
    std::sort(results[i].begin(), results[i].end(), better);
    if (results[i].size() > query.k) results[i].resize(query.k);
  }
  return results;
}

std::vector<std::optional<Item>> FolderIndex::items(std::span<const int64_t> ids) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::optional<Item>> found;
  Statement row = db_.prepare("SELECT id, path, title, fields FROM items WHERE id = ?");
  for (const int64_t id : ids) {
    found.emplace_back();
    if (row.bind(1, id).step()) found.back() = read_item(row);
    row.reset();
  }
  return found;
}

std::vector<Item> FolderIndex::items_after(int64_t after, size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<Item> found;
  Statement row =
      db_.prepare("SELECT id, path, title, fields FROM items WHERE id > ? ORDER BY id LIMIT ?");
  row.bind(1, after).bind(2, static_cast<int64_t>(count));
  while (row.step()) found.push_back(read_item(row));
  return found;
}

std::vector<float> FolderIndex::vectors(std::span<const int64_t> ids) const {
  const std::lock_guard lock(mutex_);
  const auto dim = static_cast<size_t>(space_.dim);
  std::vector<float> found(ids.size() * dim);
  Statement row = db_.prepare("SELECT slot FROM items WHERE id = ?");
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool known = row.bind(1, ids[i]).step();
    const auto slot = known ? static_cast<uint64_t>(row.integer(0)) : 0;
    row.reset();
    if (!known || slot >= snapshot_->file.slots())
      throw NotFound(fmt::format("{}: no item has the id {}", folder_, ids[i]));
    snapshot_->file.read(slot, std::span(found).subspan(i * dim, dim));
  }
  return found;
}

std::optional<int64_t> FolderIndex::find_path(std::string_view path) const {
  const std::lock_guard lock(mutex_);
  Statement row = db_.prepare("SELECT id FROM items WHERE path = ?");
  if (!row.bind(1, path).step()) return std::nullopt;
  return row.integer(0);
}

}  // namespace openclip
