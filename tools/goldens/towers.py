#!/usr/bin/env python3
"""Writes tests/golden/towers: tiny models of random numbers that cover the options of the towers, with
the features that Python open_clip computes from them.

    tools/goldens/towers.py [DIR]          needs: pip install open_clip_torch==3.3.0 safetensors

For each case NAME: NAME.json (open_clip's model_cfg), NAME.safetensors (the weights) and
NAME.io.safetensors (pixels, ids padded with pad_id, lengths without padding, both features). The
versions used are in the metadata of the latter.
"""
import json
import pathlib
import sys

import numpy
import open_clip
import safetensors.torch
import torch

VIT = dict(image_size=28, layers=2, width=24, head_width=12, patch_size=8)
RESNET = dict(image_size=96, layers=[2, 1, 1, 1], width=4, head_width=64)
TEXT = dict(context_length=9, vocab_size=60, width=20, heads=2, layers=2)
TANH = {"approximate": "tanh"}

# name: (model_cfg, type of the stored weights). 28 pixels leave 4 over beside patches of 8.
CASES = {
    "plain": (dict(vision_cfg=VIT, text_cfg=TEXT), torch.float32),
    "scale_average_quick": (dict(
        quick_gelu=True,
        vision_cfg=dict(VIT, ls_init_value=0.1, pool_type="avg"),
        text_cfg=dict(TEXT, ls_init_value=0.1)), torch.float32),
    "no_ln_pre_last": (dict(
        custom_text=True, init_logit_bias=-10,
        vision_cfg=dict(VIT, no_ln_pre=True, final_ln_after_pool=True, pool_type="avg",
                        mlp_ratio=2.6, norm_kwargs={"eps": 1e-6}),
        text_cfg=dict(TEXT, no_causal_mask=True, pool_type="last", proj_bias=True, pad_id=1,
                      act_kwargs=TANH, norm_kwargs={"eps": 1e-6})), torch.float32),
    "eos_bf16": (dict(
        custom_text=True,
        vision_cfg=dict(VIT, final_ln_after_pool=True, act_kwargs=TANH),
        text_cfg=dict(TEXT, pool_type="eos", eos_id=59)), torch.bfloat16),
    "causal_last": (dict(
        custom_text=True, vision_cfg=dict(VIT, layers=1),
        text_cfg=dict(TEXT, layers=1, pool_type="last", pad_id=3)), torch.float32),
    "first_no_projection": (dict(
        custom_text=True, vision_cfg=dict(VIT, layers=1),
        text_cfg=dict(TEXT, width=16, pool_type="first", proj_type="none",
                      no_causal_mask=True)), torch.float32),
    "resnet_f16": (dict(vision_cfg=RESNET, text_cfg=dict(TEXT, layers=1)), torch.float16),
    "resnet_quick": (dict(quick_gelu=True, vision_cfg=dict(RESNET, layers=[1, 1, 2, 1]),
                          text_cfg=dict(TEXT, layers=1)), torch.float16),
}


def build(cfg, dtype):
    cfg = json.loads(json.dumps(cfg))
    custom = cfg.pop("custom_text", False)
    model = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**cfg).eval()
    return randomise(model, dtype)


def randomise(model, dtype):
    """The model with every tensor random, none left at a value that hides a mistake (0 or 1)."""
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if not value.is_floating_point() or name in ("logit_scale", "logit_bias"):
                continue
            noise = torch.randn_like(value)
            if name.endswith("running_var"):
                value.copy_(0.5 + torch.rand_like(value))
            elif value.ndim < 2:
                value.add_(0.2 * noise)
            elif "embedding" in name:
                value.copy_(0.5 * noise)
            else:  # keeps the size of activations, whatever the width
                fan_in = value[0].numel() if value.ndim != 2 or "proj" not in name[-4:] else 24
                value.copy_(noise * fan_in ** -0.5)
            value.copy_(value.to(dtype))
    return model


def texts(cfg):
    """Ids from start to end token; the end token is the largest id, as CLIP's is."""
    text = cfg["text_cfg"]
    length, end = text["context_length"], text["vocab_size"] - 1
    rows = [torch.randint(4, end - 1, (n,)).tolist() for n in (1, 3, length - 2, 0, 5)]
    rows = [[end - 1] + row + [end] for row in rows]
    rows.append([end - 1, 7, 8])  # no end token
    return rows


def write_case(folder, name, cfg, dtype, model, more_texts=()):
    """Writes the three files of a case; `cfg` is what the engine reads, `model` what Python built."""
    versions = {"open_clip": open_clip.__version__, "torch": torch.__version__.split("+")[0],
                "numpy": numpy.__version__}
    size = cfg["vision_cfg"]["image_size"]
    pixels = torch.randn(3, 3, size, size)
    rows = texts(cfg) + list(more_texts)
    text = cfg["text_cfg"]
    padded = torch.full((len(rows), text["context_length"]), text.get("pad_id", 0))
    for i, row in enumerate(rows):
        padded[i, :len(row)] = torch.tensor(row)
    with torch.no_grad():
        io = {"pixels": pixels, "image_features": model.encode_image(pixels),
              "ids": padded.to(torch.int32),
              "lengths": torch.tensor([len(row) for row in rows], dtype=torch.int32),
              "text_features": model.encode_text(padded)}
    weights = {key: value.to(dtype) if value.is_floating_point() else value
               for key, value in model.state_dict().items()}
    (folder / f"{name}.json").write_text(json.dumps(cfg, indent=1) + "\n")
    safetensors.torch.save_file(weights, folder / f"{name}.safetensors")
    safetensors.torch.save_file({key: value.contiguous() for key, value in io.items()},
                                folder / f"{name}.io.safetensors", metadata=versions)
    print(name, *(f"{key} max {io[key].abs().max():.2f}"
                  for key in ("image_features", "text_features")))


def golden_folder():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                          pathlib.Path(__file__).parents[2] / "tests/golden/towers")
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    return folder


def main():
    folder = golden_folder()
    for seed, (name, (cfg, dtype)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        cfg = dict(embed_dim=16, **cfg)
        write_case(folder, name, cfg, dtype, build(cfg, dtype))


if __name__ == "__main__":
    main()
