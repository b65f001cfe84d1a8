#include "tasks/image_source.h"

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/tar.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

ImageRef failed(const std::string& name, const std::string& problem) {
  ImageRef ref;
  ref.name = name;
  ref.problem = problem;
  return ref;
}

}  // namespace

bool has_image_extension(std::string_view name) {
  static constexpr std::array kExtensions = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"};
  const std::string lower = lower_case(name.substr(name.size() - std::min<size_t>(5, name.size())));
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [&](const char* extension) { return lower.ends_with(extension); });
}

bool is_archive_name(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower.ends_with(".tar") || lower.ends_with(".tar.gz") || lower.ends_with(".tgz") ||
         lower.ends_with(".tar.zst");
}

struct ImageSource::State {
  std::deque<std::string> inputs;  // not begun yet
  std::deque<ImageRef> listed;     // of the folder in work; members that an archive refused
  std::unique_ptr<TarReader> archive;
  std::string archive_path;

  void open_archive(const std::string& path) {
    TarOptions options;
    options.wants = has_image_extension;
    options.report = [this, path](const std::string& problem) {
      listed.push_back(failed(path, problem));
    };
    archive_path = path;
    archive = std::make_unique<TarReader>(path, options);
  }

  void list_folder(const std::string& path) {
    std::vector<std::string> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied))
      if (entry.is_regular_file() && has_image_extension(entry.path().filename().string()))
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    if (files.empty()) listed.push_back(failed(path, path + ": holds no pictures"));
    for (std::string& file : files) {
      listed.emplace_back();
      listed.back().name = std::move(file);
    }
  }

  void begin(const std::string& input) {
    try {
      if (fs::is_directory(input)) return list_folder(input);
      if (is_archive_name(input)) return open_archive(input);
      listed.emplace_back();
      listed.back().name = input;
    } catch (const Error& error) {
      listed.push_back(failed(input, error.what()));
    } catch (const fs::filesystem_error& error) {
      listed.push_back(failed(input, input + ": " + error.code().message()));
    }
  }

  std::optional<ImageRef> next_member() {
    try {
      if (std::optional<TarMember> member = archive->next()) {
        ImageRef ref;
        ref.name = archive_path + "/" + member->name;
        ref.archive = archive_path;
        ref.member = std::move(member->name);
        ref.bytes = std::move(member->bytes);
        return ref;
      }
    } catch (const Error& error) {
      listed.push_back(failed(archive_path, error.what()));
    }
    archive.reset();
    return std::nullopt;
  }
};

ImageSource::ImageSource(std::vector<std::string> inputs) : state_(std::make_unique<State>()) {
  state_->inputs.assign(inputs.begin(), inputs.end());
}

ImageSource::~ImageSource() = default;

std::optional<ImageRef> ImageSource::next() {
  State& state = *state_;
  while (true) {
    if (!state.listed.empty()) {
      ImageRef ref = std::move(state.listed.front());
      state.listed.pop_front();
      return ref;
    }
    if (state.archive) {
      if (auto ref = state.next_member()) return ref;
      continue;
    }
    if (state.inputs.empty()) return std::nullopt;
    const std::string input = std::move(state.inputs.front());
    state.inputs.pop_front();
    state.begin(input);
  }
}

std::vector<uint8_t> load_image_bytes(ImageRef& ref) {
  if (!ref.archive.empty()) return std::move(ref.bytes);
  return read_file(ref.name, kMaxImageBytes);
}

}  // namespace openclip
