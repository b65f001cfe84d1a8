// CLIP's towers as functions over a TensorStore.
#pragma once

#include <ATen/ATen.h>

#include "model/batch_norm.h"
#include "model/tensor_store.h"
#include "models/config/model_config.h"

namespace openclip::train {

/// What the image tower makes of a batch.
struct ImageOutput {
  at::Tensor pooled;    // [batch, width]: after pooling, before the projection
  at::Tensor features;  // [batch, embed_dim], not normalised
  at::Tensor tokens =
      {};  // CoCa: [batch, queries - 1, embed_dim], what the caption decoder looks at
};

/// What the text tower makes of a batch.
struct TextOutput {
  at::Tensor features;  // [batch, embed_dim], not normalised
  at::Tensor tokens =
      {};  // CoCa: [batch, tokens, width], the states that captions are written from
};

struct ImageForward {
  BatchNormMode batch_norm = BatchNormMode::running;
  /// Patch dropout: which patches each picture keeps, i64 [batch, kept]; undefined = all.
  /// Source: open_clip transformer.py PatchDropout.
  at::Tensor kept_patches = {};
  bool checkpointing = false;  // blocks are computed again when their gradients are needed
};

/// The image tower. pixels: [batch, 3, size, size], normalised.
ImageOutput encode_image(const ModelConfig& config, const TensorStore& store,
                         const at::Tensor& pixels, const ImageForward& forward = {});

/// The Vision Transformer. Source: open_clip transformer.py VisionTransformer.
ImageOutput vit(const ModelConfig& config, const TensorStore& store, const at::Tensor& pixels,
                const ImageForward& forward);

/// CLIP's ResNet. Source: open_clip modified_resnet.py.
ImageOutput modified_resnet(const ModelConfig& config, const TensorStore& store,
                            const at::Tensor& pixels, BatchNormMode batch_norm);

/// CoCa's attention pooling over a picture's tokens x [batch, n, width] -> [batch, queries,
/// embed_dim]. Source: open_clip transformer.py AttentionalPooler.
at::Tensor attentional_pool(const VisionConfig& vision, const TensorStore& store,
                            const at::Tensor& x);

/// CoCa's text tower: a learned token behind the text is pooled, causal attention passes over
/// padding. Computed up to the longest text's end, which is exact. Source: open_clip transformer.py
/// TextTransformer with embed_cls.
TextOutput coca_text(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids,
                     bool checkpointing = false);

/// The text tower. ids: i64 [batch, context_length]; features [batch, embed_dim], not normalised.
/// A causal tower that pools at the highest token id, or at eos_id, never sees what comes after it:
/// there only the tokens up to it are computed, which is exact and, with short captions, most of
/// the tower's time.
TextOutput encode_text(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids,
                       bool checkpointing = false);

/// A text's features from its pooled state, [batch, width] -> [batch, embed_dim].
at::Tensor project_text(const ModelConfig& config, const TensorStore& store,
                        const at::Tensor& pooled);

}  // namespace openclip::train
