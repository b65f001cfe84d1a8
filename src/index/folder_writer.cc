#include "index/folder_writer.h"

#include <filesystem>
#include <utility>

#include "base/error.h"
#include "index/space.h"

namespace openclip {
namespace {

constexpr const char* kVectors = "vectors.ocv";

// One writer at a time.
FileLock lock_folder(const std::string& folder) {
  if (std::optional<FileLock> lock = FileLock::try_lock(folder + "/lock")) return std::move(*lock);
  throw IoError(folder + ": another process is writing this index; wait until it is done");
}

void make_folder(const std::string& folder) {
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  if (ec) throw IoError(fmt::format("{}: cannot make the folder: {}", folder, ec.message()));
}

}  // namespace

struct FolderWriter::Statements {
  explicit Statements(Database& db)
      : find(db.prepare(
            "SELECT items.id, slot, hash, size, mtime, sources.path, title, fields FROM items JOIN "
            "sources ON sources.id = source WHERE items.path = ?")),
        slot_of_hash(db.prepare("SELECT slot FROM items WHERE hash = ? LIMIT 1")),
        slot_of_id(db.prepare("SELECT slot FROM items WHERE id = ?")),
        insert(db.prepare("INSERT INTO items(slot, path, title, fields, source, hash, size, mtime) "
                          "VALUES(?, ?, ?, ?, ?, ?, ?, ?)")),
        update(db.prepare("UPDATE items SET title = ?, fields = ?, source = ?, hash = ?, size = ?, "
                          "mtime = ? WHERE id = ?")),
        move(db.prepare("UPDATE items SET slot = ? WHERE id = ?")),
        remove(db.prepare("DELETE FROM items WHERE id = ?")),
        bury(db.prepare("INSERT INTO dead VALUES(?)")),
        source(db.prepare("SELECT id, stamp FROM sources WHERE path = ?")),
        add_source(db.prepare("INSERT INTO sources(path, stamp) VALUES(?, '')")),
        stamp(db.prepare("UPDATE sources SET stamp = ? WHERE id = ?")),
        ids(db.prepare("SELECT id FROM items WHERE source = ? ORDER BY id")) {}
  Statement find, slot_of_hash, slot_of_id, insert, update, move, remove, bury, source, add_source,
      stamp, ids;
};

FolderWriter::FolderWriter(const std::string& folder, const IndexSpace& space) : folder_(folder) {
  make_folder(folder);
  lock_.emplace(lock_folder(folder));
  open(space);
  sql_ = std::make_unique<Statements>(*db_);
  vectors_ = std::make_unique<VectorAppender>(folder_ + "/" + state_.vectors, state_.slots);
  Statement count = db_->prepare("SELECT count(*) FROM items");
  if (count.step()) size_ = count.integer(0);
}

FolderWriter::~FolderWriter() = default;

void FolderWriter::open(const IndexSpace& space) {
  db_ = std::make_unique<Database>(database_path(folder_), DatabaseMode::create);
  // Readers go on while this writes. A kill cannot hurt it; a power failure may take the last
  // commits, never part of one.
  db_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  Transaction transaction(*db_);
  Statement tables = db_->prepare("SELECT 1 FROM sqlite_master WHERE name = 'state'");
  if (tables.step()) {
    tables.reset();
    state_ = read_state(*db_, database_path(folder_));
    check_space(folder_, state_.space, space);
    return transaction.commit();
  }
  state_ = {space, kVectors, 0};
  std::error_code ec;
  std::filesystem::remove(graph_path(folder_), ec);  // of an index that was here before
  VectorAppender::create(folder_ + "/" + kVectors, {space.dtype, space.dim});
  create_tables(*db_, state_);
  transaction.commit();
}

void FolderWriter::begin() {
  if (!transaction_) transaction_.emplace(*db_);
}

int64_t FolderWriter::source_id(std::string_view source) {
  if (last_source_id_ != 0 && last_source_ == source) return last_source_id_;
  begin();
  if (!sql_->source.bind(1, source).step()) {
    sql_->add_source.bind(1, source).run();
    last_source_id_ = db_->last_id();
  } else {
    last_source_id_ = sql_->source.integer(0);
    sql_->source.reset();
  }
  last_source_ = source;
  return last_source_id_;
}

std::optional<KnownItem> FolderWriter::find(std::string_view path) {
  Statement& row = sql_->find;
  if (!row.bind(1, path).step()) return std::nullopt;
  KnownItem item{row.integer(0),
                 {row.text(5), row.text(2), row.integer(3), row.integer(4)},
                 row.text(6),
                 row.text(7)};
  row.reset();
  return item;
}

std::optional<std::vector<float>> FolderWriter::find_content(std::string_view hash) {
  if (hash.empty() || !sql_->slot_of_hash.bind(1, hash).step()) return std::nullopt;
  const auto slot = static_cast<uint64_t>(sql_->slot_of_hash.integer(0));
  sql_->slot_of_hash.reset();
  const auto dim = static_cast<size_t>(state_.space.dim);
  std::vector<float> vector(dim);
  if (slot >= vectors_->slots()) {  // not appended yet
    const size_t at = (slot - vectors_->slots()) * dim;
    std::copy_n(new_vectors_.begin() + static_cast<long>(at), dim, vector.begin());
  } else {
    VectorFile(folder_ + "/" + state_.vectors, vectors_->slots()).read(slot, vector);
  }
  return vector;
}

void FolderWriter::bury(int64_t slot) { sql_->bury.bind(1, slot).run(); }

int64_t FolderWriter::put(const Item& item, const Origin& origin, std::span<const float> vector) {
  const std::vector<float> unit = unit_vector(vector, state_.space.dim);
  begin();
  const int64_t source = source_id(origin.source);
  const auto slot = static_cast<int64_t>(vectors_->slots() + new_ids_.size());
  const std::string fields = fields_text(item);
  int64_t id = 0;
  if (sql_->find.bind(1, item.path).step()) {
    id = sql_->find.integer(0);
    const int64_t old_slot = sql_->find.integer(1);
    sql_->find.reset();
    bury(old_slot);
    sql_->move.bind(1, slot).bind(2, id).run();
    Item known = item;
    known.id = id;
    describe(known, origin);
  } else {
    sql_->insert.bind(1, slot).bind(2, item.path).bind(3, item.title).bind(4, fields);
    sql_->insert.bind(5, source).bind(6, origin.hash).bind(7, origin.size).bind(8, origin.mtime);
    sql_->insert.run();
    id = db_->last_id();
    ++size_;
  }
  new_ids_.push_back(id);
  new_vectors_.insert(new_vectors_.end(), unit.begin(), unit.end());
  return id;
}

void FolderWriter::describe(const Item& item, const Origin& origin) {
  begin();
  const int64_t source = source_id(origin.source);
  const std::string fields = fields_text(item);
  sql_->update.bind(1, item.title).bind(2, fields).bind(3, source).bind(4, origin.hash);
  sql_->update.bind(5, origin.size).bind(6, origin.mtime).bind(7, item.id).run();
}

void FolderWriter::remove(int64_t id) {
  begin();
  if (!sql_->slot_of_id.bind(1, id).step()) return;
  const int64_t slot = sql_->slot_of_id.integer(0);
  sql_->slot_of_id.reset();
  bury(slot);
  sql_->remove.bind(1, id).run();
  --size_;
}

std::vector<int64_t> FolderWriter::ids_of(std::string_view source) {
  std::vector<int64_t> ids;
  sql_->ids.bind(1, source_id(source));
  while (sql_->ids.step()) ids.push_back(sql_->ids.integer(0));
  return ids;
}

std::string FolderWriter::stamp(std::string_view source) {
  if (!sql_->source.bind(1, source).step()) return {};
  std::string stamp = sql_->source.text(1);
  sql_->source.reset();
  return stamp;
}

void FolderWriter::set_stamp(std::string_view source, std::string_view stamp) {
  begin();
  sql_->stamp.bind(1, stamp).bind(2, source_id(source)).run();
}

void FolderWriter::commit() {
  if (!transaction_) return;
  if (!new_ids_.empty()) {
    vectors_->append(new_vectors_, new_ids_);
    vectors_->flush();
    write_state(*db_, "slots", std::to_string(vectors_->slots()));
    new_vectors_.clear();
    new_ids_.clear();
  }
  transaction_->commit();
  transaction_.reset();
}

}  // namespace openclip
