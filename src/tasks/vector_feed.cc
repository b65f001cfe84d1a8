// Vectors that were computed before: one .npy file, or the files of a clip-retrieval folder.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/faiss_file.h"
#include "io/npy.h"
#include "io/parquet.h"
#include "tasks/embed.h"
#include "tasks/feeds.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// A .npy file with a line of JSON, or a row of a Parquet file, for each row, where there are such.
struct VectorPart {
  std::string npy, names;
};

NpyFile open_vectors(const std::string& path) {
  NpyFile file = NpyFile::open(path);
  check_arg(file.shape().size() == 2 && dtype_is_float(file.dtype()) && file.shape()[1] > 0,
            "{}: expected rows of floating-point numbers, [n, dim]", path);
  return file;
}

// img_emb/img_emb_N.npy with metadata/metadata_N.parquet or .jsonl, by N.
std::vector<VectorPart> clip_retrieval_parts(const std::string& folder) {
  std::vector<VectorPart> parts;
  for (const auto& entry : fs::directory_iterator(folder + "/img_emb")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("img_emb_") || !name.ends_with(".npy")) continue;
    const std::string number = name.substr(8, name.size() - 12);
    const std::string metadata = folder + "/metadata/metadata_" + number;
    const bool lines = fs::exists(metadata + ".jsonl") || !fs::exists(metadata + ".parquet");
    parts.push_back({entry.path().string(), metadata + (lines ? ".jsonl" : ".parquet")});
  }
  if (parts.empty()) throw NotFound(folder + "/img_emb: holds no img_emb_N.npy");
  // 2 comes before 10: by length, then by digits.
  std::sort(parts.begin(), parts.end(), [](const VectorPart& a, const VectorPart& b) {
    return std::pair(a.npy.size(), a.npy) < std::pair(b.npy.size(), b.npy);
  });
  return parts;
}

std::vector<VectorPart> find_parts(const std::string& source) {
  if (!source.ends_with(".npy")) return clip_retrieval_parts(source);
  return {{source, rows_path(source)}};
}

// The rows of a Parquet file as lines of JSON.
std::vector<std::string> read_rows(const std::string& path) {
  ParquetReader file(path);
  std::vector<std::string> rows;
  while (const auto row = file.next()) rows.emplace_back(*row);
  return rows;
}

class VectorFeed final : public IndexFeed {
 public:
  explicit VectorFeed(const std::string& input)
      : IndexFeed(absolute_path(input)), parts_(find_parts(source())) {
    for (const VectorPart& part : parts_) total_ += open_vectors(part.npy).shape()[0];
  }

  std::string stamp() const override {
    std::string stamp;
    for (const VectorPart& part : parts_)
      stamp += file_stamp(part.npy) + "," + file_stamp(part.names) + ";";
    return stamp;
  }

  std::optional<IndexEntry> next() override {
    while (!file_ || row_ == file_->shape()[0]) {
      if (part_ == parts_.size()) return std::nullopt;
      open_part(parts_[part_++]);
    }
    const auto row = static_cast<size_t>(row_++);
    const auto dim = static_cast<size_t>(file_->shape()[1]);
    const VectorPart& part = parts_[part_ - 1];
    IndexEntry entry;
    entry.vector.resize(dim);
    file_->read_floats(row * dim, entry.vector);
    entry.item.path = fmt::format("{}#{}", part.npy, row);
    if (!names_.empty())
      describe(parse_json(fmt::format("{}:{}", part.names, row + 1), names_[row]), entry.item);
    return entry;
  }

  std::optional<int64_t> total() const override { return total_; }
  bool complete() const override { return part_ == parts_.size(); }

 private:
  void open_part(const VectorPart& part) {
    file_ = open_vectors(part.npy);
    row_ = 0;
    names_.clear();
    std::error_code ec;
    if (!fs::exists(part.names, ec)) return;
    names_ = part.names.ends_with(".parquet") ? read_rows(part.names) : read_lines(part.names);
    check_arg(static_cast<int64_t>(names_.size()) == file_->shape()[0],
              "{}: has {} lines for the {} rows of {}", part.names, names_.size(),
              file_->shape()[0], part.npy);
  }

  // Lines of embed, {"row", "image"} or {"row", "text"}, and of clip-retrieval, {"image_path",
  // "caption", …}. Other members become fields.
  static void describe(Json line, Item& item) {
    if (!line.is_object()) return;
    line.erase("row");
    if (const std::string path = take_text(line, kPictureNames); !path.empty())
      item.path = path.find("://") == std::string::npos ? absolute_path(path) : path;
    item.title = take_text(line, kTitleNames);
    item.fields = std::move(line);
  }

  std::vector<VectorPart> parts_;
  size_t part_ = 0;  // after the one in work
  std::optional<NpyFile> file_;
  std::vector<std::string> names_;
  int64_t row_ = 0, total_ = 0;
};

bool is_faiss(const std::string& input) { return input.ends_with(".index"); }

// Rows of a FAISS index, named FILE#ID.
class FaissFeed final : public IndexFeed {
 public:
  explicit FaissFeed(const std::string& path)
      : IndexFeed(absolute_path(path)),
        file_(source()),
        vectors_(parse_faiss(source(), file_.bytes())) {}

  std::string stamp() const override { return file_stamp(source()); }

  std::optional<IndexEntry> next() override {
    if (row_ == vectors_.count) return std::nullopt;
    const auto row = static_cast<size_t>(row_++);
    const auto dim = static_cast<size_t>(vectors_.dim);
    int64_t id = static_cast<int64_t>(row);
    if (vectors_.ids_offset)
      std::memcpy(&id, file_.bytes().data() + *vectors_.ids_offset + row * sizeof id, sizeof id);
    IndexEntry entry;
    entry.item.path = fmt::format("{}#{}", source(), id);
    entry.vector.resize(dim);
    std::memcpy(entry.vector.data(),
                file_.bytes().data() + vectors_.vectors_offset + row * dim * sizeof(float),
                dim * sizeof(float));
    double square = 0;
    for (const float value : entry.vector) square += double{value} * value;
    // Of vectors of length 1 the nearest by distance are those of the largest cosine; of others
    // not.
    if (vectors_.l2 && std::abs(square - 1) > 1e-3)
      throw Unsupported(source() +
                        ": its vectors are compared by distance and not of length 1; normalise "
                        "them and use IndexFlatIP");
    return entry;
  }

  std::optional<int64_t> total() const override { return vectors_.count; }
  bool complete() const override { return row_ == vectors_.count; }

 private:
  MappedFile file_;
  FaissVectors vectors_;
  int64_t row_ = 0;
};

}  // namespace

std::unique_ptr<IndexFeed> vector_feed(const std::string& input) {
  if (is_faiss(input)) return std::make_unique<FaissFeed>(input);
  return std::make_unique<VectorFeed>(input);
}

int64_t vector_dim(const std::string& input) {
  if (is_faiss(input)) return parse_faiss(input, MappedFile(input).bytes()).dim;
  return open_vectors(find_parts(absolute_path(input)).front().npy).shape()[1];
}

}  // namespace openclip
