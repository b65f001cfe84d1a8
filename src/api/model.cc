// Model of the C++ API. Rank 6.
#include "openclip/model.h"

#include <cmath>

#include "api/impl.h"
#include "api/translate.h"
#include "base/error.h"
#include "tasks/features.h"

namespace openclip::v0 {
namespace {

void check_out(const char* op, size_t got, size_t rows, int dim) {
  check_arg(got == rows * static_cast<size_t>(dim), "[{}] out must have {} * {} numbers, got {}",
            op, rows, dim, got);
}

}  // namespace

size_t Model::Impl::count_pictures(const char* op, size_t numbers) const {
  const auto side = static_cast<size_t>(source.config.vision.image_size);
  check_arg(numbers % (3 * side * side) == 0,
            "[{}] {} numbers are no whole pictures of [3, {}, {}]", op, numbers, side, side);
  return numbers / (3 * side * side);
}

void Model::encode_image(std::span<const float> pixels, std::span<float> out,
                         bool normalize) const {
  translated([&] {
    const ModelConfig& config = impl_->source.config;
    const size_t count = impl_->count_pictures("encode_image", pixels.size());
    check_out("encode_image", out.size(), count, config.embed_dim);
    impl_->model->encode_image(impl_->context, pixels.data(), static_cast<int64_t>(count),
                               out.data());
    if (normalize) normalize_rows(out, config.embed_dim);
  });
}

Matrix Model::encode_image(std::span<const float> pixels, bool normalize) const {
  const size_t count =
      translated([&] { return impl_->count_pictures("encode_image", pixels.size()); });
  Matrix out{count, embed_dim(), std::vector<float>(count * embed_dim())};
  encode_image(pixels, out.values, normalize);
  return out;
}

void Model::encode_text(std::span<const int32_t> ids, size_t context_length, std::span<float> out,
                        bool normalize) const {
  translated([&] {
    const ModelConfig& config = impl_->source.config;
    check_arg(context_length > 0 && ids.size() % context_length == 0,
              "[encode_text] {} ids are no whole rows of {}", ids.size(), context_length);
    const size_t count = ids.size() / context_length;
    check_out("encode_text", out.size(), count, config.embed_dim);
    std::vector<std::vector<int32_t>> texts(count);
    for (size_t i = 0; i < count; ++i) {
      const auto row = ids.subspan(i * context_length, context_length);
      texts[i].assign(row.begin(), row.end());
    }
    impl_->model->encode_text(impl_->context, texts, out.data());
    if (normalize) normalize_rows(out, config.embed_dim);
  });
}

Matrix Model::encode_text(const Tokens& tokens, bool normalize) const {
  translated([&] {
    check_arg(tokens.ids.size() == tokens.rows * tokens.context_length,
              "[encode_text] {} ids are not {} rows of {}", tokens.ids.size(), tokens.rows,
              tokens.context_length);
  });
  Matrix out{tokens.rows, embed_dim(), std::vector<float>(tokens.rows * embed_dim())};
  if (tokens.rows > 0) encode_text(tokens.ids, tokens.context_length, out.values, normalize);
  return out;
}

float Model::logit_scale() const { return std::log(impl_->model->logit_scale()); }
std::optional<float> Model::logit_bias() const { return impl_->model->logit_bias(); }
const std::string& Model::name() const { return impl_->source.config.name; }
size_t Model::embed_dim() const { return static_cast<size_t>(impl_->source.config.embed_dim); }
int Model::image_size() const { return impl_->source.config.vision.image_size; }
int Model::context_length() const { return impl_->source.config.text.context_length; }
int Model::vocab_size() const { return impl_->source.config.text.vocab_size; }
Towers Model::towers() const { return impl_->towers; }
const std::string& Model::config() const { return impl_->source.config.model_cfg_json; }
const std::vector<std::string>& Model::notes() const { return impl_->source.notes; }

}  // namespace openclip::v0
