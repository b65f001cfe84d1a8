#include "tasks/eval/encode_dataset.h"

#include "image/convert.h"
#include "models/preprocess_config.h"
#include "tasks/features.h"
#include "tasks/ordered_prefetch.h"
#include "tasks/prepare_picture.h"

namespace openclip {
namespace {

constexpr size_t kSamplesAtOnce = 32;

struct PreparedSample {
  EvalSample sample;
  std::vector<float> pixels;  // empty where sample.image has a problem
};

PreparedSample prepare(EvalSample sample, const PreprocessConfig& config) {
  PreparedSample out;
  out.sample = std::move(sample);
  ImageRef& ref = out.sample.image;
  if (!ref.problem.empty()) return out;
  ref.problem = picture_problem(ref.name, [&] {
    const Image image = convert_to_rgb(decode_image(load_image_bytes(ref), ref.name));
    out.pixels = tower_pixels(image, config);
  });
  return out;
}

}  // namespace

EncodedDataset encode_dataset(const Context& context, const Model& model, EvalSamples& samples,
                              const EvalListener& listener) {
  const PreprocessConfig config = preprocess_config(model.config());
  const size_t dim = static_cast<size_t>(model.config().embed_dim);
  OrderedPrefetch<EvalSample, PreparedSample> prefetch(
      context.threads(), 2 * kSamplesAtOnce, [&] { return samples.next(); },
      [&](EvalSample sample) { return prepare(std::move(sample), config); });
  EncodedDataset out;
  std::vector<float> pixels;
  const auto flush = [&] {
    const size_t done = out.features.size() / dim;
    const size_t count = out.samples.size() - done;
    if (count == 0) return;
    out.features.resize(out.samples.size() * dim);
    float* rows = out.features.data() + done * dim;
    model.encode_image(context, pixels.data(), static_cast<int64_t>(count), rows);
    normalize_rows({rows, count * dim}, static_cast<int64_t>(dim));
    pixels.clear();
    if (listener.on_samples) listener.on_samples(static_cast<int64_t>(out.samples.size()));
  };
  while (std::optional<PreparedSample> prepared = prefetch.next()) {
    if (!prepared->sample.image.problem.empty()) {
      ++out.skipped;
      if (listener.on_skipped) listener.on_skipped(prepared->sample.image.problem);
      continue;
    }
    pixels.insert(pixels.end(), prepared->pixels.begin(), prepared->pixels.end());
    out.samples.push_back(std::move(prepared->sample));
    out.samples.back().image.bytes = {};
    if (pixels.size() >= kSamplesAtOnce * 3 * config.height * config.width) flush();
  }
  flush();
  return out;
}

}  // namespace openclip
