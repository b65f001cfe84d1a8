#include "models/weights_search.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
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

bool is_pickle(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".pt" || extension == ".pth" || extension == ".bin";
}

}  // namespace

WeightsPath find_weights_in_folder(const std::string& folder) {
  std::error_code none;
  for (const char* name : kNames)
    if (fs::path path = fs::path(folder) / name; fs::is_regular_file(path, none))
      return {path.string(), ""};
  std::vector<std::string> others, pickles;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".safetensors") others.push_back(entry.path().string());
    if (is_pickle(entry.path())) pickles.push_back(entry.path().string());
  }
  for (std::vector<std::string>* found : {&others, &pickles}) {
    std::sort(found->begin(), found->end());
    if (!found->empty()) return {found->front(), ""};
  }
  return {"", fmt::format("{} holds no weights; looked for {} and other .safetensors, .bin, .pth "
                          "and .pt files",
                          folder, fmt::join(kNames, ", "))};
}

WeightsPath find_tag_weights(const std::string& model, const PretrainedTag& tag) {
  const std::string file = tag.hub_file.empty() ? kHubFile : tag.hub_file;
  if (auto path = find_in_hub_cache(tag.hub_repo, file)) return {*path, ""};
  return {"",
          fmt::format("the weights of {}:{} are not on this machine, and downloading is not "
                      "part of this version; 'hf download {} {}' puts them into {}, or get that "
                      "file from huggingface.co/{} and pass it with --pretrained FILE",
                      model, tag.tag, tag.hub_repo, file, hub_cache_dir(), tag.hub_repo)};
}

}  // namespace openclip
