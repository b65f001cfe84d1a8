#!/usr/bin/env python3
"""Writes tests/golden/dense.safetensors: features of single places, by the models of tests/golden/towers
and a CoCa of tests/golden/coca.

    tools/goldens/dense.py          needs: pip install open_clip_torch==3.3.0 timm==1.0.31 safetensors

For each case NAME: NAME.pixels [3, height, width] and NAME.READING [places, embed_dim], not normalised.
The towers are open_clip's and timm's; the last step is written out here after the papers that src/models/
dense.h names, with torch's operations.
"""
import json
import pathlib

import open_clip
import safetensors.torch
import torch
from open_clip.coca_model import CoCa
from torch.nn.functional import interpolate, linear, normalize, softmax

from towers import create

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/golden"
SIZES = {"plain": (24, 40), "siglip": (48, 16), "resnet_f16": (160, 96), "resnet_quick": (64, 128),
         "convnext_linear": (64, 96), "coca": (32, 48)}
FILES = {"coca": "coca/pooled"}  # the others: towers/NAME


def create_coca(cfg):
    return CoCa(**{key: value for key, value in cfg.items() if key != "custom_text"})


def load(name):
    stem = FILES.get(name, f"towers/{name}")
    cfg = json.loads((FOLDER / f"{stem}.json").read_text())
    model = create_coca(cfg) if name == "coca" else create(cfg)
    state = safetensors.torch.load_file(FOLDER / f"{stem}.safetensors")
    model.load_state_dict({key: value.float() if value.is_floating_point() else value
                           for key, value in state.items()})
    return cfg, model.visual.eval()


def positions(table, prefix, rows, cols):
    """table [tokens, width]: the grid behind the first `prefix` rows resized."""
    old = int((len(table) - prefix) ** 0.5)
    grid = table[prefix:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = interpolate(grid, size=(rows, cols), mode="bicubic", antialias=True)
    return torch.cat([table[:prefix], grid[0].permute(1, 2, 0).flatten(0, 1)])


def heads_of(x, heads):
    return x.reshape(len(x), heads, -1).transpose(0, 1)


def neighbours(rows, cols, prefix):
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    at = torch.stack([y.flatten(), x.flatten()]).float()
    square = ((at[:, :, None] - at[:, None, :]) ** 2).sum(0)
    out = torch.zeros(prefix + rows * cols, prefix + rows * cols)
    out[prefix:, prefix:] = torch.exp(-square / (2 * 5 ** 2))
    return out


def last_block(x, hidden, block, reading, grid):
    """block: in_weight, in_bias, heads, out (a module), mlp (a function of x)."""
    rows, cols, prefix = grid
    q, k, v = (heads_of(part, block["heads"])
               for part in linear(hidden, block["in_weight"], block["in_bias"]).chunk(3, dim=-1))
    scale = q.shape[-1] ** -0.5
    same = lambda a: a @ a.transpose(1, 2) * scale
    weights = {"clearclip": lambda: softmax(same(q), -1),
               "naclip": lambda: softmax(same(k) + neighbours(rows, cols, prefix), -1),
               "sclip": lambda: softmax(same(q), -1) + softmax(same(k), -1),
               "values": lambda: torch.eye(len(x)).expand(block["heads"], -1, -1)}[reading]()
    out = block["out"]((weights @ v).transpose(0, 1).flatten(1))
    if reading == "sclip":
        x = x + out
        out = x + block["mlp"](x)
    return out[prefix:]


def dense_vit(visual, pixels, reading):
    patches = visual.conv1(pixels[None])
    rows, cols = patches.shape[2:]
    prefix = 1
    x = torch.cat([visual.class_embedding[None], patches[0].flatten(1).T])
    x = visual.ln_pre(x + positions(visual.positional_embedding, prefix, rows, cols))
    *blocks, last = visual.transformer.resblocks
    for block in blocks:
        x = block(x[None])[0]
    parts = dict(in_weight=last.attn.in_proj_weight, in_bias=last.attn.in_proj_bias, heads=last.attn.num_heads,
                 out=last.attn.out_proj, mlp=lambda x: last.mlp(last.ln_2(x)))
    x = last_block(x, last.ln_1(x), parts, reading, (rows, cols, prefix))
    if visual.attn_pool is not None:
        x = visual.attn_pool(x[:, None])[:, 0]  # each place is a picture of one token
    return visual.ln_post(x) @ visual.proj


def dense_siglip(visual, pixels, reading):
    trunk = visual.trunk
    patches = trunk.patch_embed.proj(pixels[None])
    rows, cols = patches.shape[2:]
    x = patches[0].flatten(1).T + positions(trunk.pos_embed[0], 0, rows, cols)
    *blocks, last = trunk.blocks
    for block in blocks:
        x = block(x[None])[0]
    parts = dict(in_weight=last.attn.qkv.weight, in_bias=last.attn.qkv.bias, heads=last.attn.num_heads,
                 out=last.attn.proj, mlp=lambda x: last.mlp(last.norm2(x)))
    x = trunk.norm(last_block(x, last.norm1(x), parts, reading, (rows, cols, 0)))
    return trunk.attn_pool(x[:, None])  # each place is a picture of one token


def dense_resnet(visual, pixels, reading):
    x = visual.stem(pixels[None])
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        x = layer(x)
    pool = visual.attnpool
    if reading == "values":
        return pool.c_proj(pool.v_proj(x[0].flatten(1).T))
    side = int((len(pool.positional_embedding) - 1) ** 0.5)
    height, width = x.shape[2:]
    grow = torch.nn.ReplicationPad2d((0, max(0, side - width), 0, max(0, side - height)))
    squares = grow(x)
    out = torch.zeros(height, width, pool.c_proj.out_features)
    for top in range(squares.shape[2] - side + 1):
        for left in range(squares.shape[3] - side + 1):
            feature = pool(squares[:, :, top:top + side, left:left + side])[0]
            out[top:top + side, left:left + side] += normalize(feature, dim=-1)
    return out.flatten(0, 1)


def dense_convnext(visual, pixels, _):
    x = visual.trunk.forward_features(pixels[None])[0].flatten(1).T
    norm = visual.trunk.head.norm
    return visual.head(torch.nn.functional.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps))


def main():
    torch.manual_seed(12)
    tensors = {}
    for name, (height, width) in SIZES.items():
        cfg, visual = load(name)
        pixels = torch.randn(3, height, width)
        function, readings = ((dense_resnet, ("values", "pooled")) if "resnet" in name else
                              (dense_convnext, ("values",)) if "convnext" in name else
                              (dense_siglip if "siglip" in name else dense_vit,
                               ("clearclip", "naclip", "sclip", "values")))
        tensors[f"{name}.pixels"] = pixels
        with torch.no_grad():
            for reading in readings:
                tensors[f"{name}.{reading}"] = function(visual, pixels, reading).contiguous()
                print(name, reading, tuple(tensors[f"{name}.{reading}"].shape))
    safetensors.torch.save_file(tensors, FOLDER / "dense.safetensors", metadata={
        "open_clip": open_clip.__version__, "torch": torch.__version__.split("+")[0]})


if __name__ == "__main__":
    main()
