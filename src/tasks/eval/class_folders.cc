#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "io/json.h"
#include "tasks/eval/dataset_layouts.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

std::optional<int32_t> as_number(const std::string& text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

struct Folder {
  std::string name;
  std::optional<int32_t> number;
};

std::vector<Folder> class_folders(const std::string& root) {
  std::vector<Folder> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.')) folders.push_back({name, as_number(name)});
  }
  const bool numbers = std::all_of(folders.begin(), folders.end(),
                                   [](const Folder& folder) { return folder.number.has_value(); });
  std::sort(folders.begin(), folders.end(), [&](const Folder& a, const Folder& b) {
    return numbers ? *a.number < *b.number : a.name < b.name;
  });
  if (!numbers)
    for (Folder& folder : folders) folder.number.reset();
  return folders;
}

std::string readable(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// Names of the classes in order, and each folder's class.
struct Classes {
  std::vector<std::string> names;
  std::vector<int32_t> of_folder;
};

Classes named_by_map(const std::string& file, const std::vector<Folder>& folders) {
  const Json map = read_json_file(file);
  if (!map.is_object()) throw ParseError(file, "must be an object {\"folder\": \"name\"}");
  Classes out;
  for (const Folder& folder : folders) {
    if (json_find(map, folder.name) == nullptr)
      throw InvalidArgument(
          fmt::format("{}: has no name for the class folder {}", file, folder.name));
    out.of_folder.push_back(static_cast<int32_t>(out.names.size()));
    out.names.push_back(json_get<std::string>(file, map, folder.name));
  }
  return out;
}

Classes named_by_lines(const std::string& file, const std::vector<Folder>& folders) {
  Classes out;
  for (std::string& line : read_lines(file))
    if (!line.empty()) out.names.push_back(std::move(line));
  for (size_t i = 0; i < folders.size(); ++i)
    out.of_folder.push_back(folders[i].number.value_or(static_cast<int32_t>(i)));
  const int32_t most = out.of_folder.back();
  const bool fits = folders.back().number ? most < static_cast<int32_t>(out.names.size())
                                          : out.names.size() == folders.size();
  if (!fits)
    throw InvalidArgument(fmt::format(
        "{}: names {} classes, and there are {} class folders, the last one {}; an object "
        "{{\"folder\": \"name\"}} can name them whatever their number",
        file, out.names.size(), folders.size(), folders.back().name));
  return out;
}

Classes name_classes(const std::string& root, const std::vector<Folder>& folders,
                     const std::string& classes_file) {
  std::string file = classes_file;
  if (file.empty() && fs::exists(fs::path(root) / "classnames.txt"))
    file = (fs::path(root) / "classnames.txt").string();
  if (!file.empty())
    return file.ends_with(".json") ? named_by_map(file, folders) : named_by_lines(file, folders);
  Classes out;
  for (const Folder& folder : folders) {
    out.of_folder.push_back(static_cast<int32_t>(out.names.size()));
    out.names.push_back(readable(folder.name));
  }
  return out;
}

void add_pictures(const fs::path& folder, int32_t target, std::vector<EvalSample>& samples) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && has_image_extension(entry.path().filename().string()))
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  for (std::string& file : files) {
    EvalSample& sample = samples.emplace_back();
    sample.image.name = std::move(file);
    sample.target = target;
  }
}

}  // namespace

EvalDataset open_class_folders(const std::string& folder, const EvalDatasetOptions& options) {
  const fs::path with_split = fs::path(folder) / options.split;
  const fs::path root = fs::is_directory(with_split) ? with_split : fs::path(folder);
  const std::vector<Folder> folders = class_folders(root.string());
  if (folders.empty())
    throw NotFound(fmt::format("{}: holds no class folders and no {}/nshards.txt", root.string(),
                               options.split));
  Classes classes = name_classes(folder, folders, options.classes_file);
  std::vector<EvalSample> samples;
  for (size_t i = 0; i < folders.size(); ++i)
    add_pictures(root / folders[i].name, classes.of_folder[i], samples);
  if (samples.empty()) throw NotFound(root.string() + ": its class folders hold no pictures");
  EvalDataset dataset;
  dataset.classes = std::move(classes.names);
  dataset.samples = std::make_unique<ListedSamples>(std::move(samples));
  return dataset;
}

}  // namespace openclip
