// Texts, pictures and classification of the C API. Rank 6.
#include <algorithm>
#include <vector>

#include "api/c_support.h"

namespace api = openclip::v0;
namespace capi = openclip::capi;
using openclip::check_arg;

namespace {

std::vector<std::string> text_list(const char* const* texts, size_t count, const char* name) {
  if (count > 0) capi::check_pointer(texts, name);
  std::vector<std::string> list;
  list.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    check_arg(texts[i] != nullptr, "{}[{}] must not be NULL", name, i);
    list.emplace_back(texts[i]);
  }
  return list;
}

std::span<float> output(float* out, size_t size) {
  capi::check_pointer(out, "out");
  return {out, size};
}

}  // namespace

extern "C" {

openclip_status openclip_get_tokenizer(const char* name, openclip_tokenizer** tokenizer) {
  return capi::guarded([&] {
    capi::check_pointer(tokenizer, "tokenizer");
    *tokenizer = new openclip_tokenizer{api::get_tokenizer(capi::text_or_empty(name))};
  });
}

void openclip_tokenizer_free(openclip_tokenizer* tokenizer) { delete tokenizer; }

int32_t openclip_tokenizer_context_length(const openclip_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->tokenizer.context_length();
}

int32_t openclip_tokenizer_vocab_size(const openclip_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->tokenizer.vocab_size();
}

openclip_status openclip_tokenize(const openclip_tokenizer* tokenizer, const char* const* texts,
                                  size_t count, int32_t* ids, size_t ids_size, uint8_t* truncated) {
  return capi::guarded([&] {
    capi::check_pointer(tokenizer, "tokenizer");
    const auto list = text_list(texts, count, "texts");
    const api::Tokens tokens = tokenizer->tokenizer(list);
    check_arg(ids_size == tokens.ids.size(), "[tokenize] ids must have {} * {} numbers, got {}",
              tokens.rows, tokens.context_length, ids_size);
    if (ids_size > 0) capi::check_pointer(ids, "ids");
    std::copy(tokens.ids.begin(), tokens.ids.end(), ids);
    if (truncated == nullptr) return;
    std::fill_n(truncated, count, uint8_t{0});
    for (const size_t row : tokens.truncated) truncated[row] = 1;
  });
}

void openclip_preprocess_free(openclip_preprocess* preprocess) { delete preprocess; }

size_t openclip_preprocess_size(const openclip_preprocess* preprocess) {
  return preprocess == nullptr ? 0 : preprocess->preprocess.size();
}

openclip_status openclip_preprocess_file(const openclip_preprocess* preprocess, const char* path,
                                         float* out, size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(preprocess, "preprocess");
    capi::check_pointer(path, "path");
    preprocess->preprocess(std::string(path), output(out, out_size));
  });
}

openclip_status openclip_preprocess_bytes(const openclip_preprocess* preprocess, const void* bytes,
                                          size_t size, float* out, size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(preprocess, "preprocess");
    if (size > 0) capi::check_pointer(bytes, "bytes");
    const std::span<const uint8_t> input(static_cast<const uint8_t*>(bytes), size);
    preprocess->preprocess(input, output(out, out_size));
  });
}

openclip_status openclip_preprocess_pixels(const openclip_preprocess* preprocess,
                                           const openclip_image* image, float* out,
                                           size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(preprocess, "preprocess");
    capi::check_pointer(image, "image");
    const auto known = capi::versioned(*image, "openclip_image");
    check_arg(known.palette_entries <= 256, "a palette has up to 256 entries, got {}",
              known.palette_entries);
    if (known.palette_entries > 0) capi::check_pointer(known.palette, "palette");
    api::ImageView view;
    view.pixels = known.pixels;
    view.width = known.width;
    view.height = known.height;
    view.format = static_cast<api::PixelFormat>(known.format);
    view.row_bytes = known.row_bytes;
    view.palette = {known.palette, 3 * known.palette_entries};
    preprocess->preprocess(view, output(out, out_size));
  });
}

openclip_status openclip_classifier_create(const openclip_model* model,
                                           const openclip_tokenizer* tokenizer,
                                           const char* const* labels, size_t label_count,
                                           const char* const* templates, size_t template_count,
                                           openclip_classifier** classifier) {
  return capi::guarded([&] {
    capi::check_pointer(model, "model");
    capi::check_pointer(tokenizer, "tokenizer");
    capi::check_pointer(classifier, "classifier");
    auto prompts = text_list(templates, template_count, "templates");
    if (prompts.empty()) prompts = {"{}"};
    *classifier = new openclip_classifier{api::ZeroShotClassifier(
        model->model, tokenizer->tokenizer, text_list(labels, label_count, "labels"), prompts)};
  });
}

void openclip_classifier_free(openclip_classifier* classifier) { delete classifier; }

openclip_status openclip_classify(const openclip_classifier* classifier,
                                  const float* image_features, size_t count, double* out,
                                  size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(classifier, "classifier");
    const api::ZeroShotClassifier& zero_shot = classifier->classifier;
    const size_t labels = zero_shot.labels().size();
    const size_t dim = zero_shot.vectors().size() / labels;
    check_arg(out_size / labels == count && out_size % labels == 0,
              "[classify] out must have {} * {} numbers, got {}", count, labels, out_size);
    if (count == 0) return;
    capi::check_pointer(image_features, "image_features");
    capi::check_pointer(out, "out");
    for (size_t i = 0; i < count; ++i) {
      const auto scores = zero_shot.probabilities({image_features + i * dim, dim});
      std::copy(scores.begin(), scores.end(), out + i * labels);
    }
  });
}

}  // extern "C"
