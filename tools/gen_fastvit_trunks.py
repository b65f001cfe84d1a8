#!/usr/bin/env python3
"""Writes src/models/config/fastvit_trunks.json: what timm's FastViT names stand for, MobileCLIP's trunks.

    pip install open_clip_torch==3.3.0 timm==1.0.31
    tools/gen_fastvit_trunks.py

As tools/gen_convnext_trunks.py: each trunk that a config of open_clip uses is built without memory and asked.
"""
from timm.layers import LayerNorm2d, SqueezeExcite
from timm.models.fastvit import AttentionBlock, FastVit, RepConditionalPosEnc, RepMixerBlock
from torch import nn

from timm_trunks import write_trunks


def only(values):
    value, = set(values)
    return value


def facts(trunk):
    """Sizes and switches of a trunk; asserts what the engine takes for granted."""
    assert type(trunk) is FastVit and trunk.final_conv.num_conv_branches == 1
    dims = [stage.blocks[0].mlp.fc1.in_channels for stage in trunk.stages]
    kinds = [only(type(block) for block in stage.blocks) for stage in trunk.stages]
    assert set(kinds) <= {RepMixerBlock, AttentionBlock}
    squeeze = [False]
    assert isinstance(trunk.stages[0].downsample, nn.Identity) and dims[0] == trunk.stem[0].out_chs
    for stage, kind in zip(trunk.stages, kinds):
        assert (type(stage.pos_emb) is RepConditionalPosEnc) == (kind is AttentionBlock)
        if kind is RepMixerBlock:
            assert only(block.token_mixer.kernel_size for block in stage.blocks) == 3
        else:
            assert only(block.token_mixer.head_dim for block in stage.blocks) == 32
    for stage in trunk.stages[1:]:
        conv = stage.downsample.proj[0]
        assert (conv.kernel_size, conv.small_kernel, conv.stride) == (7, 3, 2) and isinstance(conv.act, nn.GELU)
        squeeze.append(isinstance(conv.se, SqueezeExcite))
    norms = {type(block.norm) for stage in trunk.stages for block in stage.blocks if hasattr(block, "norm")}
    for module in trunk.modules():
        assert getattr(module, "eps", 1e-5) == 1e-5
    final = trunk.final_conv
    assert final.se.fc1.out_channels == final.out_chs // 16 and final.out_chs == 2 * dims[-1]
    return {"depths": [len(stage.blocks) for stage in trunk.stages], "dims": dims,
            "mlp_ratio": only(stage.blocks[0].mlp.fc1.out_channels // width
                              for stage, width in zip(trunk.stages, dims)),
            "attention": [kind is AttentionBlock for kind in kinds], "squeeze": squeeze,
            "layer_norm": only(norms) is LayerNorm2d, "stem_scale": trunk.stem[0].conv_scale is not None}


if __name__ == "__main__":
    write_trunks("fastvit_trunks", "fastvit", facts)
