#include "tasks/image_stream.h"

#include <algorithm>

#include "base/error.h"
#include "io/digest.h"

namespace openclip {

PreparedImage prepare_image(ImageRef ref, const PreprocessConfig& config) {
  PreparedImage out;
  out.ref = std::move(ref);
  out.problem = std::move(out.ref.problem);
  if (!out.problem.empty()) return out;
  try {
    const std::vector<uint8_t> bytes = load_image_bytes(out.ref);
    out.digest = bytes_sha256(bytes);
    const Image image = decode_image(bytes, out.ref.name);
    out.pixels.resize(size_t{3} * config.height * config.width);
    preprocess(image, config, out.pixels.data());
  } catch (const Internal&) {
    throw;
  } catch (const Error& error) {
    out.problem = error.what();
    // Texts of the picture code do not all carry the file's name.
    if (out.problem.find(out.ref.name) == std::string::npos)
      out.problem = out.ref.name + ": " + out.problem;
    out.pixels.clear();
  }
  return out;
}

ImageStream::ImageStream(const Context& context, const PreprocessConfig& config,
                         std::vector<std::string> inputs, size_t ahead)
    : source_(std::move(inputs)),
      prefetch_(
          context.threads(), std::max<size_t>(ahead, 1), [this] { return source_.next(); },
          [config](ImageRef ref) { return prepare_image(std::move(ref), config); }) {}

}  // namespace openclip
