#!/usr/bin/env python3
"""Gives random weights of a CLIP the outlier channels that trained ones have, to test quantisation.

    tools/outlier_weights.py IN.safetensors OUT.safetensors [--seed N]

IN: a checkpoint with open_clip's names, f32, made of ViT blocks (`peers.py weights`, or
`open_clip.create_model(NAME)` saved). Needs numpy and safetensors. What trained transformers show
(Dettmers et al. 2022, LLM.int8(); Xiao et al. 2022, SmoothQuant; Sun et al. 2024, Massive
Activations), and what is put in here, for each tower:

- 6 channels of the residual stream are far larger than the rest in every token: the first block's
  MLP adds a constant of 40 standard deviations and the positions a variation of it;
- LayerNorm gains spread over an order of magnitude (log-normal, sigma 0.5) and are small, 0.3, at
  the outlier channels: these come out some 10 times larger than the others;
- 8 hidden channels of each MLP give activations some 8 times larger than the others;
- rows of the weights differ in length (log-normal, sigma 0.4), as output channels do.

Values are made so that different inputs keep different features, which a comparison with f32 needs.
"""
import argparse
import re

import numpy as np
from safetensors.numpy import load_file, save_file

RESIDUAL_OUTLIERS, HIDDEN_OUTLIERS = 6, 8
RESIDUAL_SIZE, OUTLIER_GAIN, HIDDEN_FACTOR = 40.0, 0.3, 8.0


def spread(rng, count, sigma):
    """Log-normal factors with a mean square of about 1."""
    return np.exp(rng.normal(0, sigma, count) - sigma * sigma).astype(np.float32)


def add_outliers(tensors, prefix, rng):
    """Changes the blocks `prefix`.0, .1, … in place."""
    width = tensors[f"{prefix}.0.ln_1.weight"].size
    layers = 1 + max(int(m.group(1)) for m in (re.match(re.escape(prefix) + r"\.(\d+)\.", name)
                                               for name in tensors) if m)
    channels = rng.choice(width, RESIDUAL_OUTLIERS, replace=False)
    for layer in range(layers):
        block = f"{prefix}.{layer}."
        for norm in ("ln_1", "ln_2"):
            gain = spread(rng, width, 0.5) * 2
            gain[channels] = OUTLIER_GAIN
            tensors[block + norm + ".weight"] *= gain
            tensors[block + norm + ".bias"] += rng.normal(0, 0.1, width).astype(np.float32)
        for name in ("attn.in_proj", "attn.out_proj", "mlp.c_fc", "mlp.c_proj"):
            key = block + name + ("_weight" if name == "attn.in_proj" else ".weight")
            tensors[key] *= spread(rng, tensors[key].shape[0], 0.4)[:, None]
        hidden = rng.choice(tensors[block + "mlp.c_fc.weight"].shape[0], HIDDEN_OUTLIERS,
                            replace=False)
        tensors[block + "mlp.c_fc.weight"][hidden] *= HIDDEN_FACTOR
    signs = rng.choice([-1.0, 1.0], RESIDUAL_OUTLIERS).astype(np.float32)
    tensors[f"{prefix}.0.mlp.c_proj.bias"][channels] += RESIDUAL_SIZE * signs
    return channels


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    tensors = {name: np.array(value, np.float32) for name, value in load_file(args.source).items()}
    for prefix, positions in (("visual.transformer.resblocks", "visual.positional_embedding"),
                              ("transformer.resblocks", "positional_embedding")):
        channels = add_outliers(tensors, prefix, rng)
        # Tokens differ in their outliers too.
        rows = tensors[positions].shape[0]
        tensors[positions][:, channels] *= 1 + rng.normal(0, 4, (rows, 1)).astype(np.float32)
    save_file(tensors, args.out, {"format": "pt"})


if __name__ == "__main__":
    main()
