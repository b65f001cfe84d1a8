#include <filesystem>
#include <unordered_map>

#include "base/error.h"
#include "io/json.h"
#include "tasks/eval/dataset_layouts.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

const Json& array_of(const std::string& source, const Json& object, const char* key) {
  const Json* found = json_find(object, key);
  if (found == nullptr || !found->is_array())
    throw ParseError(source, fmt::format("has no list '{}'", key));
  return *found;
}

// {"images": [{"filename", "filepath", "split", "sentences": [{"raw"}]}]}
std::vector<EvalSample> karpathy_samples(const std::string& source, const Json& images,
                                         const fs::path& folder, const std::string& split) {
  std::vector<EvalSample> samples;
  for (const Json& image : images) {
    if (json_get_or<std::string>(source, image, "split", split) != split) continue;
    EvalSample& sample = samples.emplace_back();
    sample.image.name = (folder / json_get_or<std::string>(source, image, "filepath", "") /
                         json_get<std::string>(source, image, "filename"))
                            .string();
    for (const Json& sentence : array_of(source, image, "sentences"))
      sample.captions.push_back(json_get<std::string>(source, sentence, "raw"));
  }
  if (samples.empty())
    throw NotFound(fmt::format("{}: has no picture of the split '{}'", source, split));
  return samples;
}

// {"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}
std::vector<EvalSample> coco_samples(const std::string& source, const Json& images,
                                     const Json& annotations, const fs::path& folder) {
  std::vector<EvalSample> samples;
  std::unordered_map<int64_t, size_t> places;
  for (const Json& image : images) {
    places[json_get<int64_t>(source, image, "id")] = samples.size();
    samples.emplace_back().image.name =
        (folder / json_get<std::string>(source, image, "file_name")).string();
  }
  for (const Json& annotation : annotations) {
    const auto place = places.find(json_get<int64_t>(source, annotation, "image_id"));
    if (place != places.end())
      samples[place->second].captions.push_back(
          json_get<std::string>(source, annotation, "caption"));
  }
  return samples;
}

}  // namespace

EvalDataset open_caption_file(const std::string& path, const EvalDatasetOptions& options) {
  const Json json = read_json_file(path, {.max_bytes = kMaxListBytes});
  const fs::path folder =
      options.images.empty() ? fs::path(path).parent_path() : fs::path(options.images);
  const Json& images = array_of(path, json, "images");
  EvalDataset dataset;
  dataset.kind = EvalKind::retrieval;
  dataset.samples = std::make_unique<ListedSamples>(
      json_find(json, "annotations") != nullptr
          ? coco_samples(path, images, array_of(path, json, "annotations"), folder)
          : karpathy_samples(path, images, folder, options.split));
  return dataset;
}

}  // namespace openclip
