#include <charconv>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "io/npy.h"
#include "io/webdataset.h"
#include "tasks/eval/dataset_layouts.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr int32_t kMaxShards = 1'000'000;
constexpr size_t kMaxNumberBytes = 4096;

std::optional<int32_t> whole_number(std::string_view text) {
  const std::string_view digits = trimmed(text);
  int32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value < 0)
    return std::nullopt;
  return value;
}

// Lines of a list file, blanks removed; nothing where there is no such file.
std::vector<std::string> list_file(const fs::path& path) {
  std::vector<std::string> lines;
  if (!fs::exists(path)) return lines;
  for (const std::string& line : read_lines(path.string())) lines.emplace_back(trimmed(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty()) lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

EvalKind kind_of(const fs::path& folder) {
  const fs::path file = folder / "dataset_type.txt";
  if (!fs::exists(file)) return EvalKind::classification;
  const std::string text = read_text_file(file.string(), kMaxNumberBytes);
  const std::string_view type = trimmed(text);
  if (type == "retrieval") return EvalKind::retrieval;
  if (type == "multilabel") return EvalKind::multilabel;
  if (type == "classification") return EvalKind::classification;
  throw Unsupported(fmt::format("{}: data sets of type '{}' are not known", file.string(), type));
}

// "{c}" is CLIP_benchmark's place for the class name.
std::string our_template(std::string text) {
  for (size_t at = 0; (at = text.find("{c}", at)) != std::string::npos;) text.replace(at, 3, "{}");
  return text;
}

class ShardSamples : public EvalSamples {
 public:
  ShardSamples(fs::path folder, int32_t shards, EvalKind kind, size_t classes)
      : folder_(std::move(folder)), shards_(shards), kind_(kind), classes_(classes) {}

  std::optional<EvalSample> next() override {
    while (true) {
      if (!problems_.empty()) return take_problem();
      if (reader_) {
        if (std::optional<WebdatasetSample> sample = reader_->next()) return read(*sample);
        reader_.reset();
      } else if (shard_number_ < shards_) {
        open_next();
      } else {
        return std::nullopt;
      }
    }
  }

 private:
  EvalSample take_problem() {
    EvalSample sample;
    sample.image.name = shard_;
    sample.image.problem = std::move(problems_.back());
    problems_.pop_back();
    return sample;
  }

  void open_next() {
    shard_ = (folder_ / fmt::format("{}.tar", shard_number_++)).string();
    TarOptions options;
    options.report = [this](const std::string& problem) { problems_.push_back(problem); };
    try {
      reader_ = std::make_unique<WebdatasetReader>(shard_, options);
    } catch (const Error& error) {
      problems_.push_back(error.what());
    }
  }

  EvalSample read(WebdatasetSample& from) {
    EvalSample out;
    out.image.archive = shard_;
    out.image.member = from.key;
    out.image.name = shard_ + "/" + from.key;
    for (const char* extension : {"webp", "png", "jpg", "jpeg"}) {
      const auto part = from.parts.find(extension);
      if (part != from.parts.end()) out.image.bytes = std::move(part->second);
      if (!out.image.bytes.empty()) break;
    }
    if (out.image.bytes.empty()) {
      out.image.problem = out.image.name + ": the sample has no webp, png, jpg or jpeg";
      return out;
    }
    try {
      read_label(from, out);
    } catch (const Error& error) {
      out.image.problem = error.what();
    }
    return out;
  }

  void read_label(const WebdatasetSample& from, EvalSample& out) const {
    const char* extension = kind_ == EvalKind::retrieval    ? "txt"
                            : kind_ == EvalKind::multilabel ? "npy"
                                                            : "cls";
    const auto part = from.parts.find(extension);
    if (part == from.parts.end())
      throw ParseError(out.image.name, fmt::format("the sample has no .{}", extension));
    if (kind_ == EvalKind::retrieval) {
      out.captions = split_lines(as_text(part->second));
    } else if (kind_ == EvalKind::multilabel) {
      out.targets = one_hot(out.image.name, part->second);
    } else {
      const std::optional<int32_t> target = whole_number(as_text(part->second));
      if (!target || static_cast<size_t>(*target) >= classes_)
        throw ParseError(out.image.name, fmt::format("its class is no number below {}", classes_));
      out.target = *target;
    }
  }

  std::vector<uint8_t> one_hot(const std::string& name, const std::vector<uint8_t>& npy) const {
    const NpyHeader header = parse_npy(name, npy);
    const size_t size = dtype_size(header.dtype);
    if (header.data_bytes != classes_ * size)
      throw ParseError(name, fmt::format("its targets must be {} numbers", classes_));
    std::vector<uint8_t> targets(classes_);
    for (size_t c = 0; c < classes_; ++c) {
      // 0 or 1 in any little-endian type: whether a byte is set tells them apart.
      const uint8_t* value = npy.data() + header.data_offset + c * size;
      targets[c] = std::any_of(value, value + size, [](uint8_t byte) { return byte != 0; });
    }
    return targets;
  }

  fs::path folder_;
  int32_t shards_, shard_number_ = 0;
  EvalKind kind_;
  size_t classes_;
  std::string shard_;
  std::unique_ptr<WebdatasetReader> reader_;
  std::vector<std::string> problems_;
};

}  // namespace

bool is_clip_benchmark_folder(const std::string& folder, const std::string& split) {
  return fs::exists(fs::path(folder) / split / "nshards.txt");
}

EvalDataset open_clip_benchmark_folder(const std::string& folder,
                                       const EvalDatasetOptions& options) {
  const fs::path root = folder;
  const std::string count_file = (root / options.split / "nshards.txt").string();
  const std::optional<int32_t> shards = whole_number(read_text_file(count_file, kMaxNumberBytes));
  if (!shards || *shards > kMaxShards) throw ParseError(count_file, "must be the number of shards");
  EvalDataset dataset;
  dataset.kind = kind_of(root);
  if (dataset.kind != EvalKind::retrieval) {
    dataset.classes = list_file(options.classes_file.empty() ? root / "classnames.txt"
                                                             : fs::path(options.classes_file));
    if (dataset.classes.empty())
      throw NotFound(folder + ": has no classnames.txt; name the classes with a file of lines");
    for (const std::string& text : list_file(root / "zeroshot_classification_templates.txt"))
      dataset.templates.push_back(our_template(text));
  }
  dataset.samples = std::make_unique<ShardSamples>(root / options.split, *shards, dataset.kind,
                                                   dataset.classes.size());
  return dataset;
}

}  // namespace openclip
