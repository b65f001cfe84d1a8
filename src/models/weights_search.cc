#include "models/weights_search.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/hub/url_file.h"
#include "io/hub_cache.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// open_clip's order, each followed by its form in shards.
constexpr std::array kNames = {"open_clip_model.safetensors",
                               "open_clip_model.safetensors.index.json",
                               "open_clip_pytorch_model.safetensors",
                               "open_clip_pytorch_model.bin",
                               "open_clip_pytorch_model.bin.index.json",
                               "open_clip_pytorch_model.pth",
                               "model.safetensors",
                               "model.safetensors.index.json",
                               "pytorch_model.bin",
                               "pytorch_model.bin.index.json",
                               "pytorch_model.pth",
                               "model.pth"};

constexpr const char* kHubFile = "open_clip_model.safetensors";
constexpr const char* kHubPickle = "open_clip_pytorch_model.bin";

bool is_pickle(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".pt" || extension == ".pth" || extension == ".bin";
}

}  // namespace

std::optional<std::string> choose_weights_name(std::vector<std::string> files) {
  for (const char* name : kNames)
    if (std::find(files.begin(), files.end(), name) != files.end()) return name;
  std::sort(files.begin(), files.end());
  const auto is_other = [](const fs::path& path) { return path.extension() == ".safetensors"; };
  if (const auto found = std::find_if(files.begin(), files.end(), is_other); found != files.end())
    return *found;
  if (const auto found = std::find_if(files.begin(), files.end(), is_pickle); found != files.end())
    return *found;
  return std::nullopt;
}

WeightsPath find_weights_in_folder(const std::string& folder) {
  std::error_code none;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (entry.is_regular_file(none)) files.push_back(entry.path().filename().string());
  if (const auto name = choose_weights_name(std::move(files)))
    return {(fs::path(folder) / *name).string(), ""};
  return {"", fmt::format("{} holds no weights; looked for {} and other .safetensors, .bin, .pth "
                          "and .pt files",
                          folder, fmt::join(kNames, ", "))};
}

std::vector<std::string> tag_weights_files(const PretrainedTag& tag) {
  if (tag.hub_file.empty()) return {kHubFile, kHubPickle};
  std::vector<std::string> files;
  if (is_pickle(tag.hub_file))
    files.push_back(fs::path(tag.hub_file).replace_extension(".safetensors").string());
  files.push_back(tag.hub_file);
  return files;
}

WeightsPath find_tag_weights(const std::string& model, const PretrainedTag& tag) {
  if (!tag.hub_repo.empty())
    for (const std::string& file : tag_weights_files(tag))
      if (auto path = find_in_hub_cache(tag.hub_repo, file)) return {*path, ""};
  if (!tag.url.empty())
    if (std::string path = url_cache_path(tag.url); is_file(path)) return {std::move(path), ""};
  return {"", fmt::format("the weights of {}:{} are not on this machine (looked in {}); 'openclip "
                          "models pull {}:{}' fetches them, or pass --pretrained FILE",
                          model, tag.tag, hub_cache_dir(), model, tag.tag)};
}

}  // namespace openclip
