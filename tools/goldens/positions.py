#!/usr/bin/env python3
"""Writes tests/golden/positions.safetensors: positional embeddings that torch resizes as open_clip and
timm ask it to, and the fixed ones of open_clip.

    tools/goldens/positions.py        needs: pip install open_clip_torch==3.3.0 timm==1.0.31 safetensors

grid_A_B: [1 + A*A, width] in, [1 + B*B, width] out (row 0 is the class token); bare_A_B: without class
token; text_A_B: [A, width] in, [B, width] out; sin_cos_G: [1 + G*G, width].
"""
import pathlib
import types

import open_clip
import safetensors.torch
import timm
import torch
from open_clip.model import resize_pos_embed, resize_text_pos_embed
from open_clip.pos_embed import get_2d_sincos_pos_embed
from timm.layers import resample_abs_pos_embed

WIDTH = 5
GRIDS = [(3, 5), (7, 3), (16, 24), (24, 16), (14, 37), (1, 4), (5, 1), (6, 6)]
TEXTS = [(77, 128), (77, 32), (13, 8), (1, 3), (6, 6)]


def main():
    torch.manual_seed(0)
    out = {}
    for old, new in GRIDS:
        stored = torch.randn(1 + old * old, WIDTH)
        state = {"visual.positional_embedding": stored}
        visual = types.SimpleNamespace(grid_size=(new, new))
        resize_pos_embed(state, types.SimpleNamespace(visual=visual))
        out[f"grid_{old}_{new}.in"] = stored
        out[f"grid_{old}_{new}.out"] = state["visual.positional_embedding"].contiguous()
    for old, new in GRIDS[:2]:
        stored = torch.randn(1, old * old, WIDTH)
        out[f"bare_{old}_{new}.in"] = stored
        out[f"bare_{old}_{new}.out"] = resample_abs_pos_embed(
            stored, (new, new), num_prefix_tokens=0).contiguous()
    for old, new in TEXTS:
        stored = torch.randn(old, WIDTH)
        state = {"positional_embedding": stored}
        model = types.SimpleNamespace(positional_embedding=torch.empty(new, WIDTH))
        resize_text_pos_embed(state, model)
        out[f"text_{old}_{new}.in"] = stored
        out[f"text_{old}_{new}.out"] = state["positional_embedding"].contiguous()
    out["sin_cos_4"] = torch.from_numpy(get_2d_sincos_pos_embed(12, 4, cls_token=True)).float()
    path = pathlib.Path(__file__).parents[2] / "tests/golden/positions.safetensors"
    out = {name: value.clone() for name, value in out.items()}  # equal sizes give the input itself
    safetensors.torch.save_file(out, path, metadata={
        "open_clip": open_clip.__version__, "timm": timm.__version__,
        "torch": torch.__version__.split("+")[0]})
    print(path, len(out), "tensors")


if __name__ == "__main__":
    main()
