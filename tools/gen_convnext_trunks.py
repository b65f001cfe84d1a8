#!/usr/bin/env python3
"""Writes src/models/config/convnext_trunks.json: what timm's ConvNeXt names stand for.

    pip install open_clip_torch==3.3.0 timm==1.0.31
    tools/gen_convnext_trunks.py

open_clip's configs name such an image tower and say nothing else about it. Each ConvNeXt that a config of
open_clip uses is built without memory (device `meta`) and asked for its sizes, so that no number here is
copied by hand.
"""
from timm.models.convnext import ConvNeXt
from torch import nn

from timm_trunks import write_trunks


def facts(trunk):
    """Depths, widths and the one eps of a trunk; asserts what the engine takes for granted."""
    assert type(trunk) is ConvNeXt and isinstance(trunk.norm_pre, nn.Identity)
    stem, blocks = trunk.stem[0], [b for stage in trunk.stages for b in stage.blocks]
    assert stem.kernel_size == stem.stride == (4, 4) and stem.padding == (0, 0)
    for block in blocks:
        width = block.conv_dw.in_channels
        assert block.conv_dw.kernel_size == (7, 7) and block.conv_dw.groups == width
        assert block.gamma is not None and isinstance(block.shortcut, nn.Identity)
        assert block.mlp.fc1.out_features == 4 * width and type(block.mlp.act).__name__ == "GELU"
    for stage in trunk.stages[1:]:
        assert stage.downsample[1].kernel_size == stage.downsample[1].stride == (2, 2)
    eps, = {m.eps for m in trunk.modules() if isinstance(m, nn.LayerNorm)}
    return {"depths": [len(stage.blocks) for stage in trunk.stages],
            "dims": [stage.blocks[0].conv_dw.in_channels for stage in trunk.stages],
            "norm_eps": eps}


if __name__ == "__main__":
    write_trunks("convnext_trunks", "convnext", facts)
