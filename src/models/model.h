// A loaded CLIP model: immutable, usable by many threads at once. Rank 4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/precision.h"
#include "io/lazy_tensor.h"
#include "models/config/model_config.h"
#include "models/dense.h"
#include "models/towers/caption_decoder.h"
#include "models/towers/token_states.h"
#include "tensor/tensor.h"

namespace openclip {

class BoxHead;
class HfTextTower;
class ImageTower;
class TextTower;

/// Which towers to load; a tower that is not asked for is neither read nor packed.
enum class Towers { both, image_only, text_only };

struct LoadOptions {
  Towers towers = Towers::both;
  bool captions = false;  // also the decoder of a CoCa, which is half of its weights
  /// Absent: f32, or what the folder was quantised to.
  std::optional<Precision> precision{};
  /// at_second_use starts soonest and suits programs that may end after one picture; at_load what
  /// runs for long. Features are the same.
  Packing packing = Packing::at_second_use;
};

/// What OWL-ViT's and OWLv2's heads say of each patch of a picture, row by row.
struct BoxPredictions {
  std::vector<float> boxes;       // [patches, 4]: centre x and y, width, height, of 0 to 1
  std::vector<float> logits;      // [patches, queries]
  std::vector<float> objectness;  // [patches], logits; OWLv2 only
};

class Model {
 public:
  /// Binds the tensors of a checkpoint (any format of io/checkpoint.h, under open_clip's or
  /// transformers' names; f32, f16, bf16 or f64) to the towers that `config` describes and packs
  /// them for the kernels. Tensors of a tower that is not asked for are not read. Throws:
  /// ParseError listing in one text all missing, unexpected and mis-shaped tensors; errors of the
  /// file reader.
  static std::shared_ptr<const Model> load(const Context& context, ModelConfig config,
                                           const std::string& weights_path,
                                           const LoadOptions& options = {});

  /// The same from tensors that are named already as open_clip_names names them (models/names).
  /// `source` names them in errors.
  static std::shared_ptr<const Model> load(const Context& context, ModelConfig config,
                                           LazyTensors tensors, const std::string& source,
                                           const LoadOptions& options = {});
  ~Model();

  const ModelConfig& config() const { return config_; }

  /// What the large products are computed in.
  Precision precision() const { return precision_; }

  /// Image features, not normalised. pixels: [count, 3, size, size] as `preprocess` makes them;
  /// out: [count, embed_dim].
  void encode_image(const Context& context, const float* pixels, int64_t count, float* out) const;

  /// Text features, not normalised. ids: token ids of each text, from start to end token, without
  /// padding, at most context_length; where the pooled position depends on padding (pool `last`,
  /// no causal mask) the tower pads by itself. out: [ids.size(), embed_dim].
  void encode_text(const Context& context, std::span<const std::vector<int32_t>> ids,
                   float* out) const;

  /// States of all tokens, not only of the pooled one: out [ids.size() * context_length, width] of
  /// the text tower, padding included (missing ids are filled up with the config's pad_id).
  /// ids: as encode_text; with paddings of another kind up to context_length ids. Throws:
  /// InvalidArgument as encode_text and for layers that are not there; Unsupported for towers of
  /// transformers. Source: transformers CLIPTextModel, hidden_states[layer].
  void encode_text_tokens(const Context& context, std::span<const std::vector<int32_t>> ids,
                          const TokenStates& states, float* out) const;

  /// The same of pictures: out [count * config().vision.tokens(), width of the vision transformer],
  /// the class token first where there is one. Throws: as above; Unsupported for other image
  /// towers.
  void encode_image_tokens(const Context& context, const float* pixels, int64_t count,
                           const TokenStates& states, float* out) const;

  /// Starts `each` texts about each of `count` pictures, of up to `capacity` tokens, for
  /// models/generate.h. The model must outlive them. Throws: InvalidArgument if the decoder was not
  /// loaded or for capacities beyond its context; Unsupported for a text tower of transformers.
  std::unique_ptr<CaptionDecoder::Session> start_captions(const Context& context,
                                                          const float* pixels, int64_t count,
                                                          int64_t each, int64_t capacity) const;

  /// Pixels from place to place of encode_dense(); 0 = this model has no dense features.
  int64_t dense_stride() const;

  /// Image features of every place of one picture of any size, not normalised, comparable with
  /// those of texts (models/dense.h). input.height and .width: multiples of dense_stride(); a
  /// ViT's positions are resized where they differ from the model's own size.
  /// out: [height / stride * width / stride, embed_dim], row by row.
  /// Throws: InvalidArgument for other sides; Unsupported for readings that the tower lacks.
  void encode_dense(const Context& context, const DenseInput& input, float* out) const;

  /// Of a model with config().boxes: where one picture shows what each query asks for.
  /// pixels: [3, size, size]; queries: [queries, embed_dim], features of texts or of box_query().
  /// Throws: InvalidArgument for models without box heads.
  BoxPredictions predict_boxes(const Context& context, const float* pixels,
                               ConstMatrix queries) const;

  /// A query that asks for more of what a picture shows: the class feature [embed_dim] of the patch
  /// whose box covers the picture best and which differs most from its other patches.
  /// Source: transformers OwlViTForObjectDetection.embed_image_query.
  std::vector<float> box_query(const Context& context, const float* pixels) const;

  /// exp(logit_scale), what cosine similarities are multiplied with before the softmax.
  float logit_scale() const { return logit_scale_; }
  std::optional<float> logit_bias() const { return logit_bias_; }

 private:
  Model() = default;

  ModelConfig config_;
  Precision precision_ = Precision::f32;
  std::unique_ptr<ImageTower> image_;
  std::unique_ptr<BoxHead> boxes_;
  std::unique_ptr<TextTower> text_;       // open_clip's own,
  std::unique_ptr<HfTextTower> hf_text_;  // or one of transformers
  std::unique_ptr<CaptionDecoder> decoder_;
  float logit_scale_ = 1;
  std::optional<float> logit_bias_;
};

}  // namespace openclip
