// Models of the C API. Rank 6.
#include <memory>
#include <vector>

#include "api/c_support.h"
#include "openclip/matrix.h"
#include "tasks/features.h"

namespace api = openclip::v0;
namespace capi = openclip::capi;
using openclip::check_arg;

namespace {

api::ModelOptions model_options(const openclip_model_options* given) {
  api::ModelOptions options;
  if (given == nullptr) return options;
  const auto known = capi::versioned(*given, "openclip_model_options");
  options.pretrained = capi::text_or_empty(known.pretrained);
  if (known.precision != nullptr) options.precision = known.precision;
  options.cache_dir = capi::text_or_empty(known.cache_dir);
  options.threads = known.threads;
  options.towers = static_cast<api::Towers>(known.towers);
  options.force_quick_gelu = known.force_quick_gelu != 0;
  check_arg(known.reserved == 0, "openclip_model_options.reserved must be 0");
  return options;
}

// a * b as a size of a buffer; the product must not wrap.
size_t elements(size_t a, size_t b) {
  size_t product = 0;
  check_arg(!__builtin_mul_overflow(a, b, &product), "{} * {} numbers are too many", a, b);
  return product;
}

// Texts that live for ever, and pointers to them.
struct Names {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;

  void finish() {
    for (const std::string& text : texts) pointers.push_back(text.c_str());
  }
};

const Names& model_names() {
  static const Names names = [] {
    Names all;
    all.texts = api::list_models();
    all.finish();
    return all;
  }();
  return names;
}

struct PretrainedNames {
  Names models, tags;
};

const PretrainedNames& pretrained_names() {
  static const PretrainedNames names = [] {
    PretrainedNames all;
    for (auto& [model, tag] : api::list_pretrained()) {
      all.models.texts.push_back(model);
      all.tags.texts.push_back(tag);
    }
    all.models.finish();
    all.tags.finish();
    return all;
  }();
  return names;
}

}  // namespace

extern "C" {

openclip_status openclip_create_model_and_transforms(const char* name,
                                                     const openclip_model_options* options,
                                                     openclip_model** model,
                                                     openclip_preprocess** preprocess) {
  return capi::guarded([&] {
    capi::check_pointer(model, "model");
    auto made = api::create_model_and_transforms(capi::text_or_empty(name), model_options(options));
    auto new_model = std::make_unique<openclip_model>(openclip_model{std::move(made.model)});
    if (preprocess != nullptr) *preprocess = new openclip_preprocess{std::move(made.preprocess)};
    *model = new_model.release();
  });
}

void openclip_model_free(openclip_model* model) { delete model; }

const char* openclip_model_name(const openclip_model* model) {
  return model == nullptr ? "" : model->model.name().c_str();
}

size_t openclip_model_embed_dim(const openclip_model* model) {
  return model == nullptr ? 0 : model->model.embed_dim();
}

int32_t openclip_model_image_size(const openclip_model* model) {
  return model == nullptr ? 0 : model->model.image_size();
}

int32_t openclip_model_context_length(const openclip_model* model) {
  return model == nullptr ? 0 : model->model.context_length();
}

float openclip_model_logit_scale(const openclip_model* model) {
  return model == nullptr ? 0 : model->model.logit_scale();
}

int32_t openclip_model_logit_bias(const openclip_model* model, float* bias) {
  if (model == nullptr || !model->model.logit_bias()) return 0;
  if (bias != nullptr) *bias = *model->model.logit_bias();
  return 1;
}

openclip_status openclip_encode_image(const openclip_model* model, const float* pixels,
                                      size_t count, int32_t normalize, float* out,
                                      size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(model, "model");
    const auto side = static_cast<size_t>(model->model.image_size());
    const size_t size = elements(count, 3 * side * side);
    if (count > 0) capi::check_pointer(pixels, "pixels");
    if (out_size > 0) capi::check_pointer(out, "out");
    model->model.encode_image({pixels, size}, {out, out_size}, normalize != 0);
  });
}

openclip_status openclip_encode_text(const openclip_model* model, const int32_t* ids, size_t count,
                                     size_t context_length, int32_t normalize, float* out,
                                     size_t out_size) {
  return capi::guarded([&] {
    capi::check_pointer(model, "model");
    const size_t size = elements(count, context_length);
    if (size > 0) capi::check_pointer(ids, "ids");
    if (out_size > 0) capi::check_pointer(out, "out");
    model->model.encode_text({ids, size}, context_length, {out, out_size}, normalize != 0);
  });
}

openclip_status openclip_normalize(float* rows, size_t count, size_t dim) {
  return capi::guarded([&] {
    const size_t size = elements(count, dim);
    if (size == 0) return;
    capi::check_pointer(rows, "rows");
    openclip::normalize_rows({rows, size}, static_cast<int64_t>(dim));
  });
}

openclip_status openclip_softmax(float* rows, size_t count, size_t dim) {
  return capi::guarded([&] {
    const size_t size = elements(count, dim);
    if (size == 0) return;
    capi::check_pointer(rows, "rows");
    api::Matrix matrix{count, dim, {rows, rows + size}};
    api::softmax(matrix);
    std::copy(matrix.values.begin(), matrix.values.end(), rows);
  });
}

openclip_status openclip_list_models(const char* const** names, size_t* count) {
  return capi::guarded([&] {
    capi::check_pointer(names, "names");
    capi::check_pointer(count, "count");
    *names = model_names().pointers.data();
    *count = model_names().pointers.size();
  });
}

openclip_status openclip_list_pretrained(const char* const** models, const char* const** tags,
                                         size_t* count) {
  return capi::guarded([&] {
    capi::check_pointer(models, "models");
    capi::check_pointer(count, "count");
    const PretrainedNames& names = pretrained_names();
    *models = names.models.pointers.data();
    if (tags != nullptr) *tags = names.tags.pointers.data();
    *count = names.models.pointers.size();
  });
}

}  // extern "C"
