// Pictures read, decoded and preprocessed ahead of their use, in order. Rank 5.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "image/preprocess.h"
#include "tasks/image_source.h"
#include "tasks/ordered_prefetch.h"

namespace openclip {

/// A picture as the image tower sees it, or a problem.
struct PreparedImage {
  ImageRef ref;
  std::vector<float> pixels;  // [3, height, width]; empty when there is a problem
  std::string problem;        // one line for the user
  std::string digest;         // SHA-256 of the file's bytes: equal files are equal pictures
};

/// Decoding runs on the context's number of threads while the caller computes.
class ImageStream {
 public:
  /// ahead: pictures prepared at most before they are asked for.
  ImageStream(const Context& context, const PreprocessConfig& config,
              std::vector<std::string> inputs, size_t ahead);

  /// The next picture or problem, in the order of the inputs; nullopt at the end.
  std::optional<PreparedImage> next() { return prefetch_.next(); }

 private:
  ImageSource source_;
  OrderedPrefetch<ImageRef, PreparedImage> prefetch_;
};

/// A decoded picture, or a problem.
struct LoadedImage {
  ImageRef ref;
  Image image;
  std::string digest;   // SHA-256 of the file's bytes
  std::string problem;  // one line for the user
};

/// Reads and decodes one picture; errors of the file become its problem.
LoadedImage load_image(ImageRef ref);

/// The picture in a file. Throws: IoError with the file's problem.
Image load_picture(const std::string& path);

/// Reads, decodes and preprocesses one picture; errors of the file become its problem.
PreparedImage prepare_image(ImageRef ref, const PreprocessConfig& config);

}  // namespace openclip
