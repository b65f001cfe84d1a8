#include "tasks/eval/dataset.h"

#include <filesystem>

#include "base/error.h"
#include "tasks/eval/dataset_layouts.h"

namespace openclip {

EvalDataset open_eval_dataset(const std::string& path, const EvalDatasetOptions& options) {
  namespace fs = std::filesystem;
  const fs::path normal = fs::path(path).lexically_normal();
  EvalDataset dataset = [&] {
    if (is_clip_benchmark_folder(path, options.split))
      return open_clip_benchmark_folder(path, options);
    if (fs::is_directory(path)) return open_class_folders(path, options);
    if (fs::is_regular_file(path) && normal.extension() == ".json")
      return open_caption_file(path, options);
    if (fs::exists(path))
      throw InvalidArgument(path +
                            ": is neither a folder of classes or shards nor a .json of captions");
    throw NotFound(path + ": there is no such data set");
  }();
  dataset.name =
      normal.has_filename() ? normal.stem().string() : normal.parent_path().filename().string();
  return dataset;
}

}  // namespace openclip
