// Captions of pictures. Rank 5.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/generate.h"
#include "text/tokenizer.h"

namespace openclip {

struct CaptionRequest {
  std::vector<std::string> images;  // files, folders, tar archives
  GenerationOptions generation;
  size_t batch = 12;  // pictures of one pass
};

struct Caption {
  std::vector<int32_t> ids;  // from the start token on
  std::string text;
};

/// Whom to tell while it runs; either may be null.
struct CaptionListener {
  std::function<void(const std::string& image, const Caption& caption)> on_caption;
  std::function<void(const std::string& problem)> on_skipped;
};

/// Throws: InvalidArgument where the model writes no captions, or none of this length.
void check_captions(const ModelConfig& config, const GenerationOptions& options);

/// Captions in the order of the pictures; returns how many could not be read. model: loaded with
/// LoadOptions::captions. Throws: errors of generate.
int64_t caption_images(const Context& context, const Model& model, const Tokenizer& tokenizer,
                       const CaptionRequest& request, const CaptionListener& listener);

}  // namespace openclip
