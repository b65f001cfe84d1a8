#include "models/model.h"

#include <algorithm>
#include <cmath>

#include "io/checkpoint.h"
#include "models/names/state_dict.h"
#include "models/towers/box_head.h"
#include "models/towers/hf_text_tower.h"
#include "models/towers/image_tower.h"
#include "models/towers/text_tower.h"
#include "models/towers/vit.h"
#include "models/towers/weights.h"

namespace openclip {
namespace {

// The texts beside a ResNet stay f32 where its pictures are multiplied as bytes: their vectors are
// computed once, and rounding them changes as many best labels as rounding all pictures
// (docs/precision.md).
Precision text_precision(const ModelConfig& config, Precision precision) {
  return precision == Precision::int8 && config.vision.is_resnet ? Precision::f32 : precision;
}

}  // namespace

std::shared_ptr<const Model> Model::load(const Context& context, ModelConfig config,
                                         const std::string& weights_path,
                                         const LoadOptions& options) {
  LazyTensors tensors = open_clip_names(Checkpoint::open(weights_path).tensors(), config);
  return load(context, std::move(config), std::move(tensors), weights_path, options);
}

std::shared_ptr<const Model> Model::load(const Context& context, ModelConfig config,
                                         LazyTensors tensors, const std::string& source,
                                         const LoadOptions& options) {
  check_arg(!config.text_only || options.towers == Towers::text_only,
            "{} is a text encoder without an image tower", config.name);
  const Precision precision = options.precision.value_or(config.precision);
  const Weights weights(tensors, source, config, precision, options.packing);
  const std::shared_ptr<Model> model(new Model());
  if (options.towers != Towers::text_only)
    model->image_ = ImageTower::load(context, weights, config);
  if (model->image_ != nullptr && config.boxes != BoxHeads::none)
    model->boxes_ = std::make_unique<BoxHead>(context, weights, config);
  if (options.towers != Towers::image_only) {
    const Weights texts(std::move(tensors), source, config, text_precision(config, precision),
                        options.packing);
    if (config.text.hf)
      model->hf_text_ = std::make_unique<HfTextTower>(context, texts, config);
    else
      model->text_ = std::make_unique<TextTower>(context, texts, config);
  }
  if (config.decoder && options.captions) {
    if (!model->text_)
      throw Unsupported(config.name +
                        ": captions need CLIP's own text tower, which sees earlier words only");
    check_arg(model->image_ != nullptr, "captions need both towers");
    model->decoder_ = std::make_unique<CaptionDecoder>(context, weights, config, *model->text_);
  }
  if (!config.text_only) model->logit_scale_ = std::exp(weights.scalar("logit_scale"));
  if (config.has_logit_bias) model->logit_bias_ = weights.scalar("logit_bias");
  model->config_ = std::move(config);
  model->precision_ = precision;
  return model;
}

Model::~Model() = default;

void Model::encode_image(const Context& context, const float* pixels, int64_t count,
                         float* out) const {
  check_arg(image_ != nullptr, "[encode_image] the image tower was not loaded");
  check_arg(count >= 0, "[encode_image] count must not be negative, got {}", count);
  image_->encode(context, pixels, {out, count, config_.embed_dim});
}

void Model::encode_image_tokens(const Context& context, const float* pixels, int64_t count,
                                const TokenStates& states, float* out) const {
  check_arg(image_ != nullptr, "[encode_image] the image tower was not loaded");
  check_arg(count >= 0, "[encode_image] count must not be negative, got {}", count);
  const VisionConfig& vision = config_.vision;
  if (!vision.is_vit()) throw Unsupported("the image tower of " + config_.name + " has no tokens");
  if (vision.attn_pool_queries > 0 && states.final_norm)
    throw Unsupported("the image tower of " + config_.name +
                      " has attention pooling, and its final norm is not that of its tokens; ask "
                      "for a hidden layer");
  image_->encode_tokens(context, pixels, states, {out, count * vision.tokens(), vision.width});
}

void Model::encode_text_tokens(const Context& context, std::span<const std::vector<int32_t>> ids,
                               const TokenStates& states, float* out) const {
  check_arg(text_ != nullptr || hf_text_ != nullptr, "[encode_text] the text tower was not loaded");
  if (config_.text.embed_cls)
    throw Unsupported("the states of single tokens are not to be had from CoCa's text tower");
  if (hf_text_)
    throw Unsupported("the states of single tokens are not to be had from the text tower of " +
                      config_.name + ", which is one of transformers");
  const auto rows = static_cast<int64_t>(ids.size()) * config_.text.context_length;
  text_->encode_tokens(context, ids, states, {out, rows, config_.text.width});
}

int64_t Model::dense_stride() const { return image_ == nullptr ? 0 : image_->dense_stride(); }

void Model::encode_dense(const Context& context, const DenseInput& input, float* out) const {
  check_arg(image_ != nullptr, "[encode_dense] the image tower was not loaded");
  const int64_t stride = std::max<int64_t>(1, image_->dense_stride());
  image_->encode_dense(context, input,
                       {out, input.height / stride * (input.width / stride), config_.embed_dim});
}

BoxPredictions Model::predict_boxes(const Context& context, const float* pixels,
                                    ConstMatrix queries) const {
  check_arg(boxes_ != nullptr, "[predict_boxes] this model has no box heads");
  return boxes_->predict(context, static_cast<const VitTower&>(*image_), pixels, queries);
}

std::vector<float> Model::box_query(const Context& context, const float* pixels) const {
  check_arg(boxes_ != nullptr, "[box_query] this model has no box heads");
  return boxes_->query(context, static_cast<const VitTower&>(*image_), pixels);
}

void Model::encode_text(const Context& context, std::span<const std::vector<int32_t>> ids,
                        float* out) const {
  check_arg(text_ != nullptr || hf_text_ != nullptr, "[encode_text] the text tower was not loaded");
  const Matrix rows(out, static_cast<int64_t>(ids.size()), config_.embed_dim);
  if (hf_text_) return hf_text_->encode(context, ids, rows);
  text_->encode(context, ids, rows);
}

std::unique_ptr<CaptionDecoder::Session> Model::start_captions(const Context& context,
                                                               const float* pixels, int64_t count,
                                                               int64_t each,
                                                               int64_t capacity) const {
  check_arg(decoder_ != nullptr, "[captions] the decoder was not loaded");
  const int64_t rows = count * image_->caption_tokens();
  Tensor tokens{Shape{rows, config_.decoder->width}};
  const Matrix out(tokens.data(), rows, config_.decoder->width);
  image_->encode_for_captions(context, pixels, out);
  return decoder_->start(context, out, count, each, capacity);
}

}  // namespace openclip
