#include "index/folder_files.h"

#include <charconv>
#include <filesystem>
#include <map>

#include "base/error.h"

namespace openclip {
namespace {

constexpr const char* kFolderFormat = "1";

constexpr const char* kFolderTables = R"sql(
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slot INTEGER NOT NULL,            -- of the vector file
  path TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  fields TEXT NOT NULL,             -- a JSON object
  source INTEGER NOT NULL REFERENCES sources(id),
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL);
CREATE INDEX items_hash ON items(hash) WHERE hash != '';
CREATE INDEX items_source ON items(source);
CREATE TABLE sources(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL);
CREATE TABLE dead(slot INTEGER PRIMARY KEY);  -- slots of items that changed or went
)sql";

int64_t number(const std::string& path, const std::string& text) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw ParseError(path, fmt::format("'{}' is no size; build the index anew", text));
  return value;
}

}  // namespace

std::string database_path(const std::string& folder) { return folder + "/index.sqlite"; }

std::string graph_path(const std::string& folder) { return folder + "/graph.ocg"; }

void create_tables(Database& db, const FolderState& state) {
  db.run(kFolderTables);
  write_state(db, "format", kFolderFormat);
  write_state(db, "model", state.space.model);
  write_state(db, "model_key", state.space.model_key);
  write_state(db, "dim", std::to_string(state.space.dim));
  write_state(db, "dtype", dtype_name(state.space.dtype));
  write_state(db, "vectors", state.vectors);
  write_state(db, "slots", std::to_string(state.slots));
}

FolderState read_state(Database& db, const std::string& path) {
  std::map<std::string, std::string> values;
  for (Statement rows = db.prepare("SELECT key, value FROM state"); rows.step();)
    values[rows.text(0)] = rows.text(1);
  if (values["format"] != kFolderFormat)
    throw Unsupported(
        fmt::format("{}: written in version '{}' of the format, this program reads {}", path,
                    values["format"], kFolderFormat));
  const std::optional<DType> dtype = dtype_from_name(values["dtype"]);
  if (!dtype) throw ParseError(path, "has no element type; build the index anew");
  FolderState state{{values["model"], values["model_key"], number(path, values["dim"]), *dtype},
                    values["vectors"],
                    static_cast<uint64_t>(number(path, values["slots"]))};
  if (state.vectors.empty() || std::filesystem::path(state.vectors).filename() != state.vectors)
    throw ParseError(path, "names no vector file; build the index anew");
  return state;
}

void write_state(Database& db, std::string_view key, std::string_view value) {
  db.prepare("INSERT OR REPLACE INTO state VALUES(?, ?)").bind(1, key).bind(2, value).run();
}

}  // namespace openclip
