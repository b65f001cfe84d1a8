#include "tasks/image_stream.h"

#include <algorithm>

#include "base/error.h"
#include "io/digest.h"
#include "tasks/prepare_picture.h"

namespace openclip {

LoadedImage load_image(ImageRef ref) {
  LoadedImage out;
  out.ref = std::move(ref);
  out.problem = std::move(out.ref.problem);
  if (!out.problem.empty()) return out;
  out.problem = picture_problem(out.ref.name, [&] {
    const std::vector<uint8_t> bytes = load_image_bytes(out.ref);
    out.digest = bytes_sha256(bytes);
    out.image = decode_image(bytes, out.ref.name);
  });
  return out;
}

Image load_picture(const std::string& path) {
  ImageRef ref;
  ref.name = path;
  LoadedImage loaded = load_image(std::move(ref));
  if (!loaded.problem.empty()) throw IoError(loaded.problem);
  return std::move(loaded.image);
}

PreparedImage prepare_image(ImageRef ref, const PreprocessConfig& config) {
  LoadedImage loaded = load_image(std::move(ref));
  PreparedImage out;
  out.ref = std::move(loaded.ref);
  out.digest = std::move(loaded.digest);
  out.problem = std::move(loaded.problem);
  if (!out.problem.empty()) return out;
  out.problem =
      picture_problem(out.ref.name, [&] { out.pixels = tower_pixels(loaded.image, config); });
  return out;
}

ImageStream::ImageStream(const Context& context, const PreprocessConfig& config,
                         std::vector<std::string> inputs, size_t ahead)
    : source_(std::move(inputs)),
      prefetch_(
          context.threads(), std::max<size_t>(ahead, 1), [this] { return source_.next(); },
          [config](ImageRef ref) { return prepare_image(std::move(ref), config); }) {}

}  // namespace openclip
