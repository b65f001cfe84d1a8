#include "index/folder_check.h"

#include <filesystem>

#include "base/error.h"
#include "index/exact_search.h"
#include "index/folder_files.h"
#include "index/graph.h"
#include "index/vector_file.h"

namespace openclip {

int64_t check_folder(const std::string& folder,
                     const std::function<void(const std::string& fault)>& tell) {
  Database db(database_path(folder), DatabaseMode::read_only);
  db.run("BEGIN");  // one state, whatever a writer does meanwhile
  const FolderState state = read_state(db, database_path(folder));
  const VectorFile file(folder + "/" + state.vectors, state.slots);
  SlotSet used(state.slots);
  int64_t faults = 0;
  const auto fault = [&](const std::string& text) {
    ++faults;
    tell(fmt::format("{}: {}", folder, text));
  };
  for (Statement row = db.prepare("SELECT id, slot, path FROM items ORDER BY slot"); row.step();) {
    const int64_t id = row.integer(0);
    const auto slot = static_cast<uint64_t>(row.integer(1));
    const std::string name = fmt::format("item {} ({})", id, row.text(2));
    if (slot >= state.slots) {
      fault(name + " has no vector");
      continue;
    }
    if (used.has(slot)) fault(name + " shares its vector with another item");
    used.add(slot);
    if (file.id(slot) != id) fault(name + " stands at a vector of another item");
    if (!file.intact(slot)) fault(name + " has a damaged vector");
  }
  for (Statement row = db.prepare("SELECT slot FROM dead"); row.step();) {
    const auto slot = static_cast<uint64_t>(row.integer(0));
    if (slot >= state.slots || used.has(slot)) {
      fault(fmt::format("vector {} is marked as removed and in use", slot));
      continue;
    }
    used.add(slot);
  }
  if (used.count() != state.slots)
    fault(fmt::format("{} vectors belong to no item", state.slots - used.count()));
  if (std::filesystem::exists(graph_path(folder)) &&
      !Graph(graph_path(folder), state.slots).intact())
    fault("the graph is damaged; build it anew");
  return faults;
}

}  // namespace openclip
