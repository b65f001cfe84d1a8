#include "tasks/curate/curate.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "io/jsonl_writer.h"
#include "io/npy.h"
#include "io/parquet.h"
#include "io/tar_writer.h"
#include "models/preprocess_config.h"
#include "tasks/curate/columns.h"
#include "tasks/curate/judge.h"
#include "tasks/curate/pairs.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

bool is_tar(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz") ||
         name.ends_with(".tar.zst");
}

// The name of a shard's outputs: its file's name up to the first dot.
std::string stem_of(const std::string& shard) {
  const std::string name = fs::path(shard).filename().string();
  return name.substr(0, name.find('.'));
}

std::vector<std::string> list_shards(const std::vector<std::string>& inputs) {
  std::vector<std::string> shards;
  for (const std::string& input : inputs) {
    if (!fs::exists(input)) throw NotFound(input + ": there is no such shard");
    if (!fs::is_directory(input)) {
      shards.push_back(input);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : fs::directory_iterator(input))
      if (entry.is_regular_file() && is_tar(entry.path())) inside.push_back(entry.path().string());
    if (inside.empty()) throw NotFound(input + ": holds no .tar");
    std::sort(inside.begin(), inside.end());
    shards.insert(shards.end(), inside.begin(), inside.end());
  }
  std::map<std::string, std::string> names;
  for (const std::string& shard : shards) {
    const auto [place, is_new] = names.try_emplace(stem_of(shard), shard);
    check_arg(is_new, "{} and {} would both become {}.tar; give one of them another name",
              place->second, shard, place->first);
  }
  return shards;
}

// What decides about a pair; a run that goes on must have the same.
OrderedJson settings(const Model& model, const CurateRequest& request) {
  const CurateRules& rules = request.rules;
  return {{"model", model.config().name},
          {"min_side", rules.min_side},
          {"max_aspect", rules.max_aspect},
          {"min_bytes", rules.min_bytes},
          {"min_caption", rules.min_caption},
          {"max_caption", rules.max_caption},
          {"min_similarity", rules.min_similarity},
          {"min_aesthetic", fmt::format("{}", rules.min_aesthetic)},
          {"max_unsafe", fmt::format("{}", rules.max_unsafe)},
          {"max_watermark", fmt::format("{}", rules.max_watermark)},
          {"duplicate", rules.duplicate},
          {"contaminated", rules.contaminated},
          {"aesthetic_head", request.aesthetic_head},
          {"unsafe_head", request.unsafe_head},
          {"tags", request.tags},
          {"rejected_tags", request.rejected_tags},
          {"decontaminate", request.decontaminate},
          {"image_key", request.image_key},
          {"text_key", request.text_key},
          {"parts", request.parts}};
}

class Run {
 public:
  Run(const Context& context, const Model& model, const Tokenizer& tokenizer,
      const CurateRequest& request, const CurateListener& listener)
      : context_(context),
        request_(request),
        listener_(listener),
        pixels_(preprocess_config(model.config())),
        dim_(model.config().embed_dim),
        judge_(context, model, tokenizer, request) {}

  void shard(const std::string& path) {
    const std::string stem = stem_of(path);
    ++summary_.shards;
    if (fs::exists(file("columns", stem, ".jsonl"))) return resume(stem);
    try {
      process(path, stem);
    } catch (const ParseError& error) {  // no archive at all
      problem(error.what());
    } catch (const NotFound& error) {
      problem(error.what());
    }
  }

  const CurateSummary& summary() const { return summary_; }

 private:
  std::string file(const char* folder, const std::string& stem, const char* extension) const {
    return (fs::path(request_.out) / folder / (stem + extension)).string();
  }

  void problem(const std::string& text) {
    ++summary_.problems;
    if (listener_.on_problem) listener_.on_problem(text);
  }

  void count(const CurateRow& row) {
    ++summary_.pairs;
    if (row.reason.empty())
      ++summary_.kept;
    else
      ++summary_.left_out[row.reason];
  }

  void resume(const std::string& stem) {
    ++summary_.resumed_shards;
    write_table(stem);
    std::vector<std::string> keys;
    const std::string columns = file("columns", stem, ".jsonl");
    for (const std::string& line : read_lines(columns)) {
      if (line.empty()) continue;
      const CurateRow row = row_from_json(columns, parse_json(columns, line));
      count(row);
      if (row.reason.empty()) keys.push_back(row.key);
    }
    if (!judge_.looks_for_duplicates()) return;
    const NpyFile features = NpyFile::open(file("features", stem, ".npy"));
    if (features.shape() != std::vector<int64_t>{static_cast<int64_t>(keys.size()), dim_})
      throw ParseError(file("features", stem, ".npy"), "does not fit its columns");
    judge_.remember(stem, keys, features.to_floats());
  }

  // The tar and the features first, the columns last: they mark the shard as finished.
  void process(const std::string& path, const std::string& stem) {
    PairStream pairs(context_, path, request_, pixels_, [&](const std::string& text) {
      late_problems_.push_back(text);  // from the reading threads, one at a time
    });
    TarWriter tar(file("shards", stem, ".tar"));
    std::optional<NpyWriter> features;
    if (judge_.looks_for_duplicates())
      features.emplace(file("features", stem, ".npy"), DType::f32, std::vector<int64_t>{dim_});
    JsonlWriter columns(file("columns", stem, ".jsonl"));
    std::vector<CuratePair> batch;
    const auto flush = [&] {
      const std::vector<float> kept = judge_.judge(stem, batch);
      if (features) features->append(kept);
      for (const CuratePair& pair : batch) write(pair, tar, columns);
      batch.clear();
      if (listener_.on_pairs) listener_.on_pairs(seen_);
    };
    while (std::optional<CuratePair> pair = pairs.next()) {
      ++seen_;
      if (!pair->problem.empty()) problem(path + "/" + pair->problem);
      batch.push_back(std::move(*pair));
      if (batch.size() == request_.batch) flush();
    }
    flush();
    for (const std::string& text : std::exchange(late_problems_, {})) problem(text);
    tar.finish();
    if (features) features->finish();
    columns.finish();
    write_table(stem);
  }

  // The columns once more, as Parquet.
  void write_table(const std::string& stem) {
    const std::string columns = file("columns", stem, ".jsonl");
    const std::string table = file("columns", stem, ".parquet");
    if (request_.parquet && !fs::exists(table) && fs::file_size(columns) > 0)
      write_parquet(columns, table);
  }

  void write(const CuratePair& pair, TarWriter& tar, JsonlWriter& columns) {
    count(pair.row);
    columns.write(row_to_json(pair.row));
    if (!pair.row.reason.empty()) return;
    for (const auto& [extension, bytes] : pair.sample.parts)
      tar.add(pair.sample.key + "." + extension, bytes);
  }

  const Context& context_;
  const CurateRequest& request_;
  const CurateListener& listener_;
  PreprocessConfig pixels_;
  int64_t dim_;
  Judge judge_;
  CurateSummary summary_;
  int64_t seen_ = 0;
  std::vector<std::string> late_problems_;
};

void prepare_folder(const std::string& out, const OrderedJson& rules) {
  for (const char* folder : {"shards", "columns", "features"})
    fs::create_directories(fs::path(out) / folder);
  const std::string path = (fs::path(out) / "rules.json").string();
  if (!fs::exists(path)) return write_file_atomic(path, rules.dump(1) + "\n");
  const Json found = read_json_file(path);
  for (const auto& [key, value] : rules.items()) {
    const Json* before = json_find(found, key);
    const Json now = value;
    if (before == nullptr || *before != now)
      throw InvalidArgument(fmt::format(
          "{}: was begun with {} = {}, not {}; give another --out, or the same rules to go on", out,
          key, before == nullptr ? "nothing" : before->dump(), now.dump()));
  }
}

}  // namespace

CurateSummary curate(const Context& context, const Model& model, const Tokenizer& tokenizer,
                     const CurateRequest& request, const CurateListener& listener) {
  check_arg(request.parts > 0 && request.part >= 0 && request.part < request.parts,
            "part {} of {}: must be 0 to {}", request.part, request.parts, request.parts - 1);
  check_arg(request.batch > 0, "[curate] batch must be above 0");
  for (const std::string& tag : request.rejected_tags)
    check_arg(std::find(request.tags.begin(), request.tags.end(), tag) != request.tags.end(),
              "'{}' is rejected and not among the tags", tag);
  const std::vector<std::string> shards = list_shards(request.shards);
  Run run(context, model, tokenizer, request, listener);
  try {
    prepare_folder(request.out, settings(model, request));
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("{}: cannot be made: {}", request.out, error.code().message()));
  }
  for (size_t i = 0; i < shards.size(); ++i)
    if (i % static_cast<size_t>(request.parts) == static_cast<size_t>(request.part))
      run.shard(shards[i]);
  return run.summary();
}

}  // namespace openclip
