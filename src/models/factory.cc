#include "models/factory.h"

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "io/checkpoint.h"
#include "io/hub_cache.h"
#include "models/config/config_name.h"
#include "models/config/transformers_config.h"
#include "models/default_model.h"
#include "models/registry.h"
#include "models/weights_search.h"
#include "text/hf_folder.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxConfigBytes = size_t{1} << 20;

std::string base_name(const std::string& folder) {
  fs::path path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

// With the config.json of transformers beside it, where its text tower is one of those.
ModelConfig read_config(const fs::path& path, const std::string& name) {
  std::string json = read_text_file(path.string(), kMaxConfigBytes);
  const fs::path beside = path.parent_path() / kTransformersConfigName;
  if (json.find("\"hf_model_name\"") != std::string::npos && is_file(beside))
    json = add_hf_model_config(json, read_text_file(beside.string(), kMaxConfigBytes));
  return parse_model_config(json, path.string(), name);
}

std::string read_if_there(const fs::path& path) {
  return is_file(path) ? read_text_file(path.string(), kMaxConfigBytes) : std::string();
}

// A folder of transformers has its preprocessing and tokenizer in files of their own.
ModelConfig read_transformers_config(const fs::path& folder, const std::string& name) {
  TransformersConfig files;
  files.config = read_text_file((folder / kTransformersConfigName).string(), kMaxConfigBytes);
  files.preprocessor = read_if_there(folder / "preprocessor_config.json");
  if (files.preprocessor.empty())
    files.preprocessor = read_if_there(folder / "processor_config.json");
  return parse_transformers_config(files, folder.string(), name,
                                   has_hf_tokenizer(folder.string()) ? name : "");
}

bool is_model_folder(const fs::path& folder) {
  return is_file(folder / kConfigName) || is_file(folder / kTransformersConfigName);
}

void set_weights(ModelSource& source, WeightsPath found) {
  source.weights = std::move(found.path);
  source.missing_weights = std::move(found.problem);
}

// --pretrained FILE or DIR, where the model itself is known already.
void set_given_weights(ModelSource& source, const std::string& given) {
  if (is_folder(given)) return set_weights(source, find_weights_in_folder(given));
  if (!is_file(given)) throw NotFound(fmt::format("weights '{}' do not exist", given));
  source.weights = given;
}

// name: what the model is called in messages, and its tokenizer where that has no name of its own.
ModelSource from_folder(const std::string& folder, const std::string& pretrained,
                        const std::string& name) {
  if (!is_folder(folder)) throw NotFound(fmt::format("model folder '{}' does not exist", folder));
  if (!is_model_folder(folder))
    throw NotFound(
        fmt::format("{}: no {} in this model folder, nor the {} of a CLIPModel of "
                    "transformers; only such a folder can be loaded",
                    folder, kConfigName, kTransformersConfigName));
  const fs::path config = fs::path(folder) / kConfigName;
  ModelSource source{.config = is_file(config) ? read_config(config, name)
                                               : read_transformers_config(folder, name),
                     .folder = folder};
  if (pretrained.empty())
    set_weights(source, find_weights_in_folder(folder));
  else
    set_given_weights(source, pretrained);
  return source;
}

ModelSource from_folder(const std::string& folder, const std::string& pretrained) {
  return from_folder(folder, pretrained, base_name(folder));
}

ModelSource from_hub(const std::string& name, const ModelRequest& request) {
  const HubRepo repo = parse_hub_repo(name);
  const FetchPolicy& fetch = request.fetch;
  if (fetch.allowed)
    ensure_hub_model(repo, fetch.weights && request.pretrained.empty(), observer_of(fetch));
  for (const std::string& snapshot : hub_snapshots(repo.id, repo.revision))
    if (is_model_folder(snapshot)) {
      ModelSource source = from_folder(snapshot, request.pretrained, repo.id);
      source.config.name = "hf-hub:" + name;
      return source;
    }
  throw NotFound(fmt::format("hf-hub:{} is not in {}; 'openclip models pull hf-hub:{}' fetches it",
                             name, hub_cache_dir(), name));
}

ModelSource from_config_file(const std::string& path, const std::string& pretrained) {
  const fs::path file = fs::path(path).filename();
  if (file == kConfigName || file == kTransformersConfigName)
    return from_folder(fs::absolute(path).parent_path().string(), pretrained);
  ModelSource source{.config = read_config(path, fs::path(path).stem().string()),
                     .folder = fs::absolute(path).parent_path().string()};
  if (pretrained.empty())
    source.missing_weights =
        fmt::format("{} is a config without weights; pass --pretrained FILE", path);
  else
    set_given_weights(source, pretrained);
  return source;
}

// The config of transformers beside a weights file, if it is that of a CLIPModel.
std::optional<ModelConfig> neighbour_of_transformers(const fs::path& folder,
                                                     const std::string& name) {
  if (!is_file(folder / kTransformersConfigName)) return std::nullopt;
  try {
    return read_transformers_config(folder, name);
  } catch (const Error&) {
    return std::nullopt;  // it describes something else
  }
}

// A weights file says nothing about preprocessing and activation. Where a config lies beside it,
// that one knows; open_clip takes its defaults and computes other features in silence.
void apply_neighbour_config(ModelSource& source) {
  if (source.weights.empty()) return;
  const fs::path folder = fs::path(source.weights).parent_path();
  const fs::path config = folder / kConfigName;
  const auto neighbour = is_file(config) ? read_config(config, source.config.name)
                                         : neighbour_of_transformers(folder, source.config.name);
  if (!neighbour) return;
  source.config.preprocess = neighbour->preprocess;
  if (uses_quick_gelu(*neighbour)) force_quick_gelu(source.config);
  source.notes.push_back(
      fmt::format("preprocessing and activation are those of {}",
                  (is_file(config) ? config : folder / kTransformersConfigName).string()));
}

// OpenAI's own files carry sizes as tensors, which no other program writes, and were all trained
// with QuickGELU. What cannot be read is an error later, when it is loaded.
void apply_openai_activation(ModelSource& source) {
  if (uses_quick_gelu(source.config) || source.weights.empty()) return;
  try {
    if (!Checkpoint::open(source.weights).tensors().contains("input_resolution")) return;
  } catch (const Error&) {
    return;
  }
  force_quick_gelu(source.config);
  source.notes.push_back(
      fmt::format("{} is one of OpenAI's, trained with QuickGELU, which is used", source.weights));
}

ModelSource from_registry(const std::string& name, const ModelRequest& request) {
  const std::string& pretrained = request.pretrained;
  ModelSource source{.config = registry_config(name)};
  const std::string& model = source.config.name;
  if (pretrained.empty()) {
    std::vector<std::string> tags;
    for (const PretrainedTag& tag : registry_tags(name)) tags.push_back(tag.tag);
    source.missing_weights =
        fmt::format("{} needs weights; pass --pretrained FILE{}", model,
                    tags.empty() ? std::string()
                                 : fmt::format(" or one of the tags {}", fmt::join(tags, ", ")));
    return source;
  }
  if (is_file(pretrained) || is_folder(pretrained)) {
    set_given_weights(source, pretrained);
    apply_neighbour_config(source);
    apply_openai_activation(source);
    return source;
  }
  const PretrainedTag tag = registry_tag(name, pretrained);
  if (tag.quick_gelu && !uses_quick_gelu(source.config))
    source.notes.push_back(
        fmt::format("{}:{} was trained with QuickGELU, which is used", model, tag.tag));
  apply_tag(source.config, tag);
  set_weights(source, find_tag_weights(model, tag));
  if (source.weights.empty() && request.fetch.allowed && request.fetch.weights)
    set_weights(source, {fetch_tag(tag, "", observer_of(request.fetch)).weights, ""});
  return source;
}

bool looks_like_path(const std::string& model) {
  return model.starts_with('/') || model.starts_with('.') || model.starts_with('~') ||
         model.ends_with(".json") || model.ends_with('/');
}

ModelSource find_named_model(const ModelRequest& request) {
  const std::string& model = request.model;
  check_arg(!model.empty() || request.pretrained.empty(),
            "--pretrained {} needs --model to say whose weights they are", request.pretrained);
  if (model.empty()) return from_folder(default_model_folder(), "");
  if (model.starts_with("hf-hub:")) return from_hub(model.substr(7), request);
  if (model.starts_with("local-dir:")) return from_folder(model.substr(10), request.pretrained);
  if (is_folder(model)) return from_folder(model, request.pretrained);
  if (is_file(model) && model.ends_with(".json"))
    return from_config_file(model, request.pretrained);
  if (is_file(model))
    throw InvalidArgument(
        fmt::format("--model {} is a file but no .json config; weights are "
                    "passed with --pretrained",
                    model));
  if (looks_like_path(model)) throw NotFound(fmt::format("model '{}' does not exist", model));
  return from_registry(model, request);
}

}  // namespace

ModelSource find_model(const ModelRequest& request) {
  ModelSource source = find_named_model(request);
  if (request.image_size) set_image_size(source.config, *request.image_size);
  if (request.context_length) set_context_length(source.config, *request.context_length);
  return source;
}

std::shared_ptr<const Model> load_model(const Context& context, const ModelSource& source,
                                        const LoadOptions& options) {
  if (source.weights.empty()) throw NotFound(source.missing_weights);
  LoadOptions load = options;
  if (!load.precision) load.precision = source.precision;
  return Model::load(context, source.config, source.weights, load);
}

}  // namespace openclip
