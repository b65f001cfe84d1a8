#include "tasks/caption.h"

#include <algorithm>

#include "base/error.h"
#include "models/preprocess_config.h"
#include "tasks/image_stream.h"

namespace openclip {
namespace {

// The words as people write them: open_clip's decode leaves a blank at either end.
std::string trimmed_caption(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

void check_captions(const ModelConfig& config, const GenerationOptions& options) {
  check_arg(config.decoder.has_value(),
            "{} writes no captions; take a CoCa, as --model coca_ViT-L-14", config.name);
  const int longest = std::min(config.decoder->context_length, config.text.context_length) + 1;
  check_arg(options.seq_len <= longest, "{} writes captions of up to {} tokens, not {}",
            config.name, longest, options.seq_len);
}

int64_t caption_images(const Context& context, const Model& model, const Tokenizer& tokenizer,
                       const CaptionRequest& request, const CaptionListener& listener) {
  check_arg(request.batch > 0, "[caption] batch must be above 0");
  check_captions(model.config(), request.generation);
  GenerationOptions generation = request.generation;
  generation.start_id = tokenizer.start_id();
  generation.end_id = tokenizer.end_id();
  ImageStream stream(context, preprocess_config(model.config()), request.images, 2 * request.batch);
  std::vector<float> pixels;
  std::vector<std::string> names;
  const auto flush = [&] {
    const auto captions =
        generate(context, model, pixels.data(), static_cast<int64_t>(names.size()), generation);
    for (size_t i = 0; i < names.size(); ++i)
      if (listener.on_caption)
        listener.on_caption(names[i],
                            {captions[i], trimmed_caption(tokenizer.decode(captions[i]))});
    // The next batch draws other words than this one.
    generation.seed += names.size();
    pixels.clear();
    names.clear();
  };
  int64_t skipped = 0;
  while (std::optional<PreparedImage> image = stream.next()) {
    if (!image->problem.empty()) {
      ++skipped;
      if (listener.on_skipped) listener.on_skipped(image->problem);
      continue;
    }
    pixels.insert(pixels.end(), image->pixels.begin(), image->pixels.end());
    names.push_back(image->ref.name);
    if (names.size() == request.batch) flush();
  }
  flush();
  return skipped;
}

}  // namespace openclip
