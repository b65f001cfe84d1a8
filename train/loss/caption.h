// CoCa's caption loss: every word of a caption from the words before it and the picture.
#pragma once

#include <ATen/ATen.h>

#include "model/tensor_store.h"
#include "models/config/model_config.h"

namespace openclip::train {

/// What is compared in a caption: its tokens but the first, without padding.
/// ids: i64 [batch, context_length].
int64_t caption_tokens(const ModelConfig& config, const at::Tensor& ids);

/// The sum over the captions' tokens of the cross entropy of the decoder's answer.
/// image: [batch, n, width], text: [batch, tokens, width] of the towers; ids: i64 [batch,
/// context_length]. Logits are computed for the tokens that count alone. Divided by the number of
/// tokens this is open_clip's caption loss (loss.py CoCaLoss, coca_model.py MultimodalTransformer).
at::Tensor caption_loss(const ModelConfig& config, const TensorStore& store,
                        const at::Tensor& image, const at::Tensor& text, const at::Tensor& ids,
                        bool checkpointing);

}  // namespace openclip::train
