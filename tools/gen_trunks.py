#!/usr/bin/env python3
"""Writes src/models/config/vit_trunks.json: what the names of timm's vision transformers stand for.

    pip install open_clip_torch==3.3.0 timm==1.0.31
    tools/gen_trunks.py

open_clip's configs name such an image tower and say nothing else about it. Each trunk that a config of
open_clip uses is built without memory (device `meta`) and asked for its sizes, so that no number here is
copied by hand. Trunks with parts that the engine does not have are left out, and named on stdout.
"""
from timm.layers import AttentionPoolLatent, GELUTanh, Mlp, SwiGLU
from timm.layers.attention import AttentionRope
from timm.models.eva import Eva, EvaAttention, EvaBlock, EvaBlockPostNorm
from timm.models.vision_transformer import Block, VisionTransformer
from timm.models.vision_transformer_hybrid import ConvStem, HybridEmbed
from torch import nn

from timm_trunks import write_trunks


def activation(module):
    if isinstance(module, GELUTanh):
        return "gelu_tanh"
    assert isinstance(module, nn.GELU), module
    return "gelu_tanh" if module.approximate == "tanh" else "gelu"


def only(values):
    """The one value that all blocks share."""
    values = set(values)
    assert len(values) == 1, values
    return values.pop()


def foreign_part(trunk):
    """What the engine lacks for this trunk; None if it has everything."""
    if type(trunk) is Eva:
        return None  # eva_facts() looks closer
    if type(trunk) is not VisionTransformer:
        return f"is a {type(trunk).__name__}"
    if any(type(block) is not Block or type(block.mlp) is not Mlp for block in trunk.blocks):
        return f"has blocks of another kind ({type(trunk.blocks[0]).__name__})"
    block = trunk.blocks[0]
    parts = (block.ls1, block.ls2, block.attn.q_norm, block.attn.norm, block.mlp.norm, trunk.fc_norm)
    if any(not isinstance(part, nn.Identity) for part in parts):
        return "has further norms or LayerScale"
    if trunk.pos_embed is None or trunk.reg_token is not None:
        return "has other positions or registers"
    if trunk.no_embed_class != is_conv_stem(trunk):
        return "has positions for patches alone"
    return None


def is_conv_stem(trunk):
    """Whether patches of 16 are made by three convolutions, as MobileCLIP-B has them."""
    if not isinstance(trunk.patch_embed, HybridEmbed):
        return False
    stem, width = trunk.patch_embed.backbone, trunk.embed_dim
    assert type(stem) is ConvStem and isinstance(trunk.patch_embed.proj, nn.Identity)
    assert [(part.conv.out_channels, *part.conv.kernel_size) for part in stem] == [
        (width // 4, 4, 4), (width // 4, 2, 2), (width, 2, 2)]
    assert all(part.conv.stride == part.conv.kernel_size and part.conv.padding == (0, 0) for part in stem)
    return True


def eva_facts(trunk):
    """What an Eva trunk has beyond a ViT: eva.h of the engine. Raises for parts that it lacks."""
    block, rope, attn = trunk.blocks[0], trunk.rope, trunk.blocks[0].attn
    assert all(type(b) is type(block) for b in trunk.blocks) and type(block) in (EvaBlock, EvaBlockPostNorm)
    assert getattr(block, "gamma_1", None) is None and not trunk.rope_mixed and trunk.reg_token is None
    assert isinstance(attn.q_norm, nn.Identity) and getattr(attn, "gate", None) is None
    swiglu = type(block.mlp) is SwiGLU
    assert swiglu or (type(block.mlp) is Mlp and activation(block.mlp.act) == "gelu")
    for norm in (attn.norm, block.mlp.norm):  # sub-LN comes with SwiGLU, or not at all
        assert isinstance(norm, nn.LayerNorm) == swiglu
    if type(attn) is AttentionRope:
        qkv = "joint"
        assert attn.qkv.bias is not None
    else:
        assert type(attn) is EvaAttention
        qkv = "joint_no_key" if attn.qkv is not None else "separate"
    out = {"qkv": qkv, "post_norm": type(block) is EvaBlockPostNorm, "swiglu": swiglu,
           "pool_heads": trunk.attn_pool.num_heads if trunk.attn_pool else 0}
    if rope is not None:
        assert rope.temperature == 10000 and not rope.in_pixels and not rope.rotate_half
        out["rope"] = {"reference": only(rope.ref_feat_shape), "offset": rope.grid_offset,
                       "columns_first": rope.grid_indexing == "xy"}
    return out


def facts(trunk):
    block, pool = trunk.blocks[0], trunk.attn_pool
    eva, conv_stem = type(trunk) is Eva, is_conv_stem(trunk)
    eps = only(m.eps for m in trunk.modules() if isinstance(m, nn.LayerNorm))
    if pool is not None:
        assert isinstance(pool, AttentionPoolLatent) and pool.latent_len == 1
        assert eva or pool.num_heads == block.attn.num_heads
        assert pool.pos_embed is None
        assert activation(pool.mlp.act) == ("gelu" if eva else activation(block.mlp.act))
    assert conv_stem or only(trunk.patch_embed.patch_size)
    assert only(trunk.patch_embed.img_size)
    if eva and type(block.mlp) is SwiGLU:
        mlp_width, act = only(b.mlp.fc1_x.out_features for b in trunk.blocks), "gelu"
    else:
        mlp_width = only(b.mlp.fc1.out_features for b in trunk.blocks)
        act = only(activation(b.mlp.act) for b in trunk.blocks)
    out = {
        "image_size": trunk.patch_embed.img_size[0],
        "patch_size": 16 if conv_stem else trunk.patch_embed.patch_size[0],
        "patch_bias": conv_stem or trunk.patch_embed.proj.bias is not None,
        "class_token": trunk.cls_token is not None,
        "norm_pre": isinstance(trunk.norm_pre, nn.LayerNorm),
        "width": trunk.embed_dim,
        "layers": len(trunk.blocks),
        "heads": only(b.attn.num_heads for b in trunk.blocks),
        "mlp_width": mlp_width,
        "activation": act,
        "norm_eps": eps,
        "pool_mlp_width": 0 if pool is None else pool.mlp.fc1.out_features,
    }
    if conv_stem:
        out["conv_stem"] = True
    if eva:
        out["eva"] = eva_facts(trunk)
    return out


if __name__ == "__main__":
    write_trunks("vit_trunks", ("vit_", "eva"), facts, with_pool=True, foreign_part=foreign_part)
