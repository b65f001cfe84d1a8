#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "data/table_dataset.h"

namespace openclip::train {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxTextBytes = 1 << 20;

// Caption and label of a picture, or nullopt if there is no file for them.
std::optional<SampleText> read_text(const fs::path& picture, const ShardOptions& options) {
  fs::path path = picture;
  if (!options.captions.keys.empty()) {
    path.replace_extension(".json");
    if (!fs::exists(path)) return std::nullopt;
    return parse_sample_json(path, read_file(path, kMaxTextBytes), options.captions);
  }
  path.replace_extension("." + options.text_extension);
  if (!fs::exists(path)) return std::nullopt;
  SampleText text;
  text.by_key = {{read_text_file(path, kMaxTextBytes)}};
  return text;
}

}  // namespace

std::unique_ptr<Dataset> open_folder(const std::string& folder, const ShardOptions& options) {
  std::vector<fs::path> pictures;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    std::string extension = entry.path().extension();
    if (extension.empty() || !entry.is_regular_file()) continue;
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const auto& known = options.image_extensions;
    if (std::find(known.begin(), known.end(), extension.substr(1)) != known.end())
      pictures.push_back(entry.path());
  }
  std::sort(pictures.begin(), pictures.end());  // the file system's order is not repeatable
  std::vector<TableRow> rows;
  for (const fs::path& picture : pictures) {
    std::optional<SampleText> text = read_text(picture, options);
    if (!text && !options.need_captions) text.emplace();
    if (text) rows.push_back({picture, std::move(*text)});
  }
  if (rows.empty())
    throw Error(fmt::format(
        "no sample: {} holds {} pictures ({}), none with a caption in a {} file "
        "beside it",
        folder, pictures.size(), fmt::join(options.image_extensions, ", "),
        options.captions.keys.empty() ? "." + options.text_extension : std::string(".json")));
  return make_table(std::move(rows), options.max_image_pixels);
}

}  // namespace openclip::train
