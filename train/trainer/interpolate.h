// WiSE-FT: weights between those of two models.
#pragma once

#include "trainer/options.h"

namespace openclip::train {

/// `openclip-train interpolate ZERO_SHOT FINE_TUNED --alpha A --out DIR`: writes the model folder
/// (1 - A) * ZERO_SHOT + A * FINE_TUNED, tensor by tensor, with the config and tokenizer of
/// FINE_TUNED. Returns no options: what to print, and the exit code.
/// Source: Wortsman et al. 2021, https://arxiv.org/abs/2109.01903.
CommandLine interpolate(int argc, char** argv);

}  // namespace openclip::train
