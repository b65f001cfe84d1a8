#!/usr/bin/env python3
"""Writes the cases of tests/golden/towers whose image tower is a ConvNeXt of timm; files as towers.py.

    tools/goldens/convnext.py [DIR]    needs: pip install open_clip_torch==3.3.0 timm==1.0.31 safetensors

timm builds the trunk that the config names with the smaller sizes of its timm_model_kwargs, which
open_clip 3.3.0 does not pass on yet.
"""
from unittest import mock

import timm
import torch

from towers import TEXT, build, golden_folder, write_case

# 72 pixels make maps of 18, 9, 4 and 2, so a row and a column are dropped on the way; the widths are no
# multiples of a vector.
SIZES = {"depths": [1, 1, 2, 1], "dims": [6, 9, 20, 33]}
VISION = dict(timm_model_name="convnext_base", timm_model_pretrained=False, timm_pool="",
              timm_drop=0.0, timm_drop_path=0.1, image_size=72)
CASES = {
    "convnext_linear": (dict(
        vision_cfg=dict(VISION, timm_proj="linear", timm_model_kwargs=SIZES),
        text_cfg=dict(TEXT, layers=1)), torch.float32),
    "convnext_mlp_bf16": (dict(
        quick_gelu=True,
        vision_cfg=dict(VISION, timm_proj="mlp", timm_proj_bias=True,
                        timm_model_kwargs=dict(SIZES, depths=[2, 1, 1, 1], norm_eps=1e-3)),
        text_cfg=dict(TEXT, layers=1)), torch.bfloat16),
}


def main():
    folder = golden_folder()
    for seed, (name, (cfg, dtype)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        cfg = dict(embed_dim=16, **cfg)
        vision = dict(cfg["vision_cfg"])
        kwargs, create = vision.pop("timm_model_kwargs"), timm.create_model
        with mock.patch("timm.create_model", lambda *a, **k: create(*a, **k, **kwargs)):
            model = build(dict(cfg, vision_cfg=vision), dtype)
        write_case(folder, name, cfg, dtype, model)


if __name__ == "__main__":
    main()
