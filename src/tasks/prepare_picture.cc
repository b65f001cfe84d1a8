#include "tasks/prepare_picture.h"

#include "base/error.h"

namespace openclip {

std::vector<float> tower_pixels(const Image& image, const PreprocessConfig& config) {
  std::vector<float> pixels(size_t{3} * config.height * config.width);
  preprocess(image, config, pixels.data());
  return pixels;
}

std::string picture_problem(const std::string& name, const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const Internal&) {
    throw;
  } catch (const Error& error) {
    const std::string text = error.what();
    // Texts of the picture code do not all carry the file's name.
    return text.find(name) == std::string::npos ? name + ": " + text : text;
  }
}

}  // namespace openclip
