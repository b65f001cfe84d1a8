#include "models/convert.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "io/checkpoint.h"
#include "models/config/tensor_table.h"
#include "models/config/transformers_config.h"
#include "models/names/state_dict.h"
#include "models/names/transformers.h"
#include "models/quantise.h"
#include "models/tokenizer_source.h"
#include "models/towers/weights.h"
#include "text/clip_files.h"
#include "text/gzip.h"
#include "text/vocabulary.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxTokenizerBytes = size_t{256} << 20;

constexpr std::array kTokenizerFiles = {"tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "vocab.txt",
                                        "spiece.model",
                                        "tokenizer.model",
                                        "sentencepiece.bpe.model"};

// What a converted folder of either layout may hold; --force deletes nothing else.
constexpr std::array kModelFiles = {"open_clip_model.safetensors", "open_clip_config.json",
                                    "model.safetensors", "config.json", "preprocessor_config.json"};

using Files = std::map<std::string, std::string>;  // name -> content

bool is_replaceable(const std::string& name) {
  const auto is = [&](const char* known) { return name == known; };
  return std::any_of(kModelFiles.begin(), kModelFiles.end(), is) ||
         std::any_of(kTokenizerFiles.begin(), kTokenizerFiles.end(), is);
}

void check_target(const ConvertOptions& options) {
  std::error_code none;
  const fs::path out = options.out;
  check_arg(!options.out.empty(), "--out must name a folder");
  if (!fs::exists(out, none)) return;
  check_arg(fs::is_directory(out, none), "--out {} is a file; name a folder", options.out);
  for (const fs::directory_entry& entry : fs::directory_iterator(out, none)) {
    const std::string name = entry.path().filename().string();
    check_arg(options.replace, "--out {} is not empty; name another folder or pass --force",
              options.out);
    check_arg(entry.is_regular_file(none) && is_replaceable(name),
              "--out {} holds '{}', which is no part of a model and would be deleted; name another "
              "folder",
              options.out, name);
  }
}

// The tokenizer that the config names, where its files are on this machine.
Files own_tokenizer(const ModelSource& source) {
  Files files;
  const std::optional<std::string> folder = local_tokenizer_folder(source);
  if (!folder) return files;
  for (const char* name : kTokenizerFiles)
    if (const fs::path path = fs::path(*folder) / name; is_file(path))
      files[name] = read_text_file(path.string(), kMaxTokenizerBytes);
  return files;
}

void check_layout_has(const ModelConfig& config) {
  if (config.boxes != BoxHeads::none)
    throw Unsupported(
        fmt::format("{} predicts boxes, which no other layout than its own has; "
                    "openclip detect reads it as it is",
                    config.name));
}

Files tokenizer_files(const ModelSource& source, ModelLayout layout, ConvertedModel& result) {
  const TextConfig& text = source.config.text;
  if (!text.hf_tokenizer_name.empty()) {
    Files files = own_tokenizer(source);
    if (files.empty())
      result.notes.push_back(
          fmt::format("the files of the tokenizer '{}' are not there and must be added",
                      text.hf_tokenizer_name));
    return files;
  }
  if (layout == ModelLayout::open_clip) return {};  // it has CLIP's vocabulary built in
  const std::string path = find_clip_vocabulary();
  return clip_vocabulary_files(path, read_maybe_gzip(path, kMaxTokenizerBytes),
                               text.context_length);
}

bool keeps_its_type(const std::string& name) {
  return name == "logit_scale" || name == "logit_bias";
}

// The tensors of the table, checked and in the shapes that it gives them.
LazyTensors model_weights(const ModelSource& source, const ModelConfig& config) {
  const LazyTensors found = open_clip_names(Checkpoint::open(source.weights).tensors(), config);
  Weights(found, source.weights, config);
  LazyTensors out;
  for (const TensorSpec& spec : model_tensors(config))
    if (const auto tensor = found.find(spec.name); tensor != found.end())
      out.emplace(spec.name, spec.shape.empty() ? reshaped(tensor->second, {}) : tensor->second);
  return out;
}

std::vector<LazyEntry> entries_of(const LazyTensors& tensors, std::optional<DType> precision) {
  std::vector<LazyEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    const bool converts = precision && dtype_is_float(tensor.dtype()) && !keeps_its_type(name);
    entries.push_back({name, tensor, converts ? *precision : tensor.dtype()});
  }
  return entries;
}

// A folder beside the target that is removed unless it took the target's place.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& target) : target_(target.lexically_normal()) {
    if (!target_.has_filename()) target_ = target_.parent_path();
    path_ = target_.string() + fmt::format(".{}.part", ::getpid());
    std::error_code error;
    fs::remove_all(path_, error);
    fs::create_directories(path_, error);
    if (error)
      throw IoError(fmt::format("{}: cannot make it: {}", path_.string(), error.message()));
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }

  std::string file(const std::string& name) const { return (path_ / name).string(); }

  void take_place() {
    const fs::path old = path_.string() + ".old";
    std::error_code error;
    const bool replaces = fs::exists(target_, error);
    if (replaces) fs::rename(target_, old, error);
    if (!error) {
      fs::rename(path_, target_, error);
      std::error_code none;
      if (error && replaces) fs::rename(old, target_, none);
    }
    if (error)
      throw IoError(
          fmt::format("{}: cannot put it in place: {}", target_.string(), error.message()));
    fs::remove_all(old, error);
  }

 private:
  fs::path target_, path_;
};

}  // namespace

ConvertedModel convert_model(const ModelSource& source, const ConvertOptions& options) {
  check_target(options);
  if (source.config.text_only)
    throw Unsupported(
        fmt::format("{} is a text encoder without an image tower, which neither layout can express",
                    source.config.name));
  if (source.config.precision == Precision::int8)
    throw Unsupported(
        fmt::format("{} is quantised already; name the model it was made of", source.config.name));
  check_layout_has(source.config);
  if (options.quantise && source.config.vision.is_resnet)
    throw Unsupported(fmt::format(
        "{} has nothing that is stored as bytes; use it with --precision int8, which quantises its "
        "convolutions while it loads",
        source.config.name));
  if (source.weights.empty()) throw NotFound(source.missing_weights);
  ConvertedModel result;
  ModelConfig config = source.config;
  Files files = tokenizer_files(source, options.layout, result);
  std::string weights_name = "open_clip_model.safetensors";
  if (options.layout == ModelLayout::transformers) {
    const TransformersConfig described = transformers_config(config);
    files["config.json"] = described.config;
    files["preprocessor_config.json"] = described.preprocessor;
    weights_name = "model.safetensors";
    config.custom_text = false;  // one set of names for both classes
  } else {
    if (options.quantise) config.precision = Precision::int8;
    files["open_clip_config.json"] = open_clip_config_json(config);
  }
  LazyTensors tensors = model_weights(source, config);
  if (options.quantise) tensors = quantised(tensors);
  if (options.layout == ModelLayout::transformers) tensors = to_transformers(std::move(tensors));
  result.tensors = tensors.size();
  NewFolder folder(options.out);
  write_safetensors(folder.file(weights_name), entries_of(tensors, options.precision),
                    {{"format", "pt"}});
  result.files = {weights_name};
  for (const auto& [name, content] : files) {
    write_file_atomic(folder.file(name), content);
    result.files.push_back(name);
  }
  std::sort(result.files.begin(), result.files.end());
  folder.take_place();
  return result;
}

}  // namespace openclip
