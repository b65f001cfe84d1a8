// A list of pictures with what is known of them: .csv, .tsv, .jsonl or .parquet.
#include <filesystem>
#include <unordered_map>

#include "base/error.h"
#include "base/mapped_file.h"
#include "io/csv.h"
#include "io/parquet.h"
#include "tasks/feeds.h"

namespace openclip {
namespace {

constexpr size_t kMaxLineBytes = size_t{16} << 20;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// "12.5" is a number and "true" a truth, so that they can be compared; "007" stays a text.
Json cell_value(const std::string& cell) {
  if (cell == "true" || cell == "false") return cell == "true";
  Json value = Json::parse(cell, nullptr, false);
  return value.is_number() ? value : Json(cell);
}

class ListFeed final : public IndexFeed {
 public:
  explicit ListFeed(const std::string& path)
      : IndexFeed(absolute_path(path)), file_(source()), lines_(text_of(file_)) {
    if (source().ends_with(".jsonl")) return;
    if (source().ends_with(".parquet")) {
      parquet_.emplace(source());
      return;
    }
    table_.emplace(source(), text_of(file_));
    const auto header = table_->next();
    if (!header) throw ParseError(source(), "is empty; the first line names the columns");
    columns_ = *header;
  }

  std::optional<IndexEntry> next() override {
    IndexEntry entry;
    std::string place;
    try {
      std::optional<Json> row = next_row(place);
      if (!row) return std::nullopt;
      describe(std::move(*row), entry);
    } catch (const Error& error) {
      entry.problem = error.what();
      if (table_ || parquet_) ended_ = true;  // where the next record begins is not known
      complete_ = false;
    }
    if (!entry.problem.empty() && !place.empty()) entry.problem = place + ": " + entry.problem;
    return entry;
  }

  bool complete() const override { return complete_; }

 private:
  std::optional<Json> next_row(std::string& place) {
    if (ended_) return std::nullopt;
    if (parquet_) return next_parquet_row(place);
    if (!table_) return next_line(place);
    const auto cells = table_->next();
    if (!cells) return std::nullopt;
    place = fmt::format("{}:{}", source(), table_->line());
    Json row = Json::object();
    for (size_t i = 0; i < std::min(cells->size(), columns_.size()); ++i) {
      const std::string& cell = (*cells)[i];
      if (cell.empty()) continue;
      const bool text = is_name(columns_[i]);
      row[columns_[i]] = text ? Json(cell) : cell_value(cell);
    }
    return row;
  }

  std::optional<Json> next_parquet_row(std::string& place) {
    const auto row = parquet_->next();
    if (!row) return std::nullopt;
    place = fmt::format("{}:{}", source(), ++line_);
    Json fields = parse_json(place, *row, JsonOptions{.max_bytes = kMaxLineBytes});
    std::erase_if(fields.get_ref<Json::object_t&>(),
                  [](const auto& field) { return field.second.is_null(); });
    return fields;
  }

  static bool is_name(const std::string& column) {
    for (const char* name : kPictureNames)
      if (column == name) return true;
    for (const char* name : kTitleNames)
      if (column == name) return true;
    return false;
  }

  std::optional<Json> next_line(std::string& place) {
    while (!lines_.empty()) {
      const size_t end = std::min(lines_.find('\n'), lines_.size());
      const std::string_view line = lines_.substr(0, end);
      lines_.remove_prefix(std::min(end + 1, lines_.size()));
      ++line_;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      const std::string name = fmt::format("{}:{}", source(), line_);
      Json row = parse_json(name, line, JsonOptions{.max_bytes = kMaxLineBytes});
      place = name;  // of what goes wrong from here on; the parser names it by itself
      return row;
    }
    return std::nullopt;
  }

  void describe(Json row, IndexEntry& entry) {
    const std::string picture = row.is_object() ? take_text(row, kPictureNames) : std::string();
    if (picture.empty()) {
      entry.problem = "names no picture; expected a column image, image_path, path or filename";
      return;
    }
    if (picture.find("://") != std::string::npos) {
      entry.problem = picture + " is not fetched; download it and name the file";
      return;
    }
    const std::filesystem::path folder = std::filesystem::path(source()).parent_path();
    entry.image.name = absolute_path((folder / picture).string());
    // Two products may have one picture.
    const int64_t times = ++seen_[entry.image.name];
    entry.item.path = times == 1 ? entry.image.name : fmt::format("{}#{}", entry.image.name, times);
    entry.item.title = take_text(row, kTitleNames);
    entry.item.fields = std::move(row);
    stat_file(entry.image.name, entry.origin);
  }

  MappedFile file_;
  std::string_view lines_;  // of .jsonl, not read yet
  size_t line_ = 0;
  std::optional<ParquetReader> parquet_;
  std::optional<CsvReader> table_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, int64_t> seen_;
  bool ended_ = false, complete_ = true;
};

}  // namespace

std::unique_ptr<IndexFeed> list_feed(const std::string& path) {
  return std::make_unique<ListFeed>(path);
}

}  // namespace openclip
