#!/usr/bin/env python3
"""Writes tests/golden/towers: tiny models of random numbers that cover the options of the towers, with
the features that Python open_clip computes from them.

    tools/goldens/towers.py [DIR]          needs: pip install open_clip_torch==3.3.0 timm==1.0.31 safetensors

For each case NAME: NAME.json (open_clip's model_cfg), NAME.safetensors (the weights) and
NAME.io.safetensors (pixels, ids padded with pad_id, lengths without padding, both features). The
versions used are in the metadata of the latter.

timm's towers are made small by vision_cfg.timm_model_kwargs, which open_clip 3.3 does not read itself.
A case with other sizes in RESIZED is loaded by them, as with force_image_size and
force_context_length: the JSON has those sizes, the weights those of the case.
"""
import functools
import json
import pathlib
import sys
from unittest import mock

import numpy
import open_clip
import safetensors.torch
import timm
import torch
from open_clip.model import resize_pos_embed, resize_text_pos_embed
from timm.models import vision_transformer_hybrid
from timm.models.vision_transformer_hybrid import ConvStem

VIT = dict(image_size=28, layers=2, width=24, head_width=12, patch_size=8)
RESNET = dict(image_size=96, layers=[2, 1, 1, 1], width=4, head_width=64)
TEXT = dict(context_length=9, vocab_size=60, width=20, heads=2, layers=2)
TANH = {"approximate": "tanh"}
CLIPA_VIT = dict(VIT, no_ln_pre=True, pool_type="avg", final_ln_after_pool=True)
CLIPA_TEXT = dict(TEXT, context_length=8, pool_type="last", no_causal_mask=True)


def timm_vit(name, pool, proj, **kwargs):
    sizes = dict(dict(embed_dim=24, depth=2, num_heads=3, patch_size=8, img_size=28), **kwargs)
    return dict(image_size=sizes["img_size"], timm_model_name=name, timm_model_pretrained=False,
                timm_pool=pool, timm_proj=proj, timm_model_kwargs=sizes)


def siglip(name, **kwargs):
    """As ViT-*-SigLIP*: sizes are made small, everything else is theirs."""
    vision = timm_vit(name, "map", "none", **kwargs)
    return dict(embed_dim=vision["timm_model_kwargs"]["embed_dim"], custom_text=True,
                init_logit_bias=-10, vision_cfg=vision,
                text_cfg=dict(TEXT, no_causal_mask=True, pool_type="last", proj_bias=True,
                              norm_kwargs={"eps": 1e-6}))


def eva(name, pool="token", **kwargs):
    """As EVA* and PE-Core-*: small, but with their blocks, rotary positions and pooling."""
    return dict(custom_text=True, vision_cfg=timm_vit(name, pool, None, **dict({"num_heads": 2}, **kwargs)),
                text_cfg=TEXT)


def mobileclip(name, pool="avg", **sizes):
    """As MobileCLIP*: small, every option of FastViT in its place."""
    return dict(custom_text=True, vision_cfg=dict(
        image_size=72, timm_model_name=name, timm_model_pretrained=False, timm_pool=pool, timm_proj=None,
        timm_model_kwargs=sizes), text_cfg=dict(TEXT, layers=1, no_causal_mask=True))


SIGLIP2 = siglip("vit_so400m_patch16_siglip_256", embed_dim=36, num_heads=4, mlp_ratio=3.7362)
SIGLIP2["text_cfg"]["act_kwargs"] = TANH

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
    "clipa": (dict(vision_cfg=dict(CLIPA_VIT, pos_embed_type="sin_cos_2d"), text_cfg=CLIPA_TEXT),
              torch.float32),
    "metaclip2": (dict(quick_gelu=True, vision_cfg=VIT,
                       text_cfg=dict(TEXT, pool_type="eos", eos_id=59)), torch.float32),
    "siglip": (siglip("vit_base_patch16_siglip_224"), torch.float32),
    "siglip2": (SIGLIP2, torch.bfloat16),
    "mobileclip2_l": (dict(
        custom_text=True, vision_cfg=timm_vit("vit_large_patch14_clip_224", "token", None),
        text_cfg=dict(TEXT, no_causal_mask=True)), torch.float32),
    "resized_up": (dict(vision_cfg=dict(VIT, layers=1), text_cfg=dict(TEXT, layers=1)),
                   torch.float32),
    "resized_down": (dict(custom_text=True, vision_cfg=dict(VIT, layers=1, image_size=61),
                          text_cfg=dict(TEXT, layers=1, context_length=13)), torch.float32),
    "siglip_resized_up": (siglip("vit_base_patch16_siglip_224", depth=1), torch.float16),
    "siglip_resized_down": (siglip("vit_base_patch16_siglip_224", depth=1, img_size=60),
                            torch.float32),
    "eva01": (eva("eva_giant_patch14_224", mlp_ratio=2.5), torch.float32),
    "eva02": (eva("eva02_base_patch16_clip_224"), torch.float16),
    "eva02_enormous": (eva("eva02_enormous_patch14_clip_224", mlp_ratio=3), torch.float32),
    "pe_core": (eva("vit_pe_core_base_patch16_224", "map", embed_dim=32, num_heads=4), torch.float32),
    "pe_core_gigantic": (eva("vit_pe_core_gigantic_patch14_448", "map", embed_dim=32, num_heads=2,
                             mlp_ratio=3), torch.bfloat16),
    "pe_core_resized_up": (eva("vit_pe_core_base_patch16_224", "map", embed_dim=32, num_heads=4, depth=1),
                           torch.float32),
}
CASES.update({  # 72 pixels are halved to odd sizes
    "mobileclip_s0": (mobileclip("fastvit_mci0", layers=[1, 1, 2, 1], embed_dims=[8, 16, 16, 32]), torch.float16),
    "mobileclip_s3": (mobileclip("fastvit_mci3", layers=[1, 1, 1, 1, 2], embed_dims=[4, 8, 16, 32, 32]),
                      torch.float16),
    "mobileclip_b": (mobileclip("vit_base_mci_224", "token", embed_dim=24, depth=2, num_heads=3, img_size=72),
                     torch.float32),
    "mobileclip_b_resized_up": (mobileclip("vit_base_mci_224", "token", embed_dim=24, depth=1, num_heads=3,
                                           img_size=72), torch.float32),
})
RESIZED = {  # case: image size, context length
    "resized_up": (44, 12),
    "resized_down": (28, 8),
    "siglip_resized_up": (66, 11),
    "pe_core_resized_up": (44, 9),
    "mobileclip_b_resized_up": (104, 9),
    "siglip_resized_down": (32, 7),
}


def create(cfg):
    cfg = json.loads(json.dumps(cfg))
    custom = cfg.pop("custom_text", False)
    sizes = cfg["vision_cfg"].pop("timm_model_kwargs", {})
    width = sizes.get("embed_dim", 0)

    def small_stem(channels, **kwargs):  # timm's has the widths of the full size, whatever embed_dim
        return ConvStem(channels=(width // 4, width // 4, width), **kwargs)

    with mock.patch.object(timm, "create_model", functools.partial(timm.create_model, **sizes)), \
            mock.patch.object(vision_transformer_hybrid, "ConvStem", small_stem):
        return (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**cfg).eval()


def resize(model, cfg, image_size, context_length):
    """Config and model of other sizes, with the weights of `model`, as open_clip's create_model."""
    cfg = json.loads(json.dumps(cfg))
    cfg["vision_cfg"]["image_size"] = image_size
    cfg["text_cfg"]["context_length"] = context_length
    other = create(cfg)
    state = model.state_dict()
    resize_pos_embed(state, other)
    resize_text_pos_embed(state, other)
    other.load_state_dict(state)
    if "timm_model_name" in cfg["vision_cfg"]:
        other.visual.set_input_size(image_size)
    return cfg, other


def build(cfg, dtype):
    return randomise(create(cfg), dtype)


def randomise(model, dtype):
    """The model with every tensor random, none left at a value that hides a mistake (0 or 1)."""
    fixed = [name for name, value in model.named_parameters() if not value.requires_grad]
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name in fixed or not value.is_floating_point() or name in ("logit_scale", "logit_bias"):
                continue
            noise = torch.randn_like(value)
            if name.endswith("running_var"):
                value.copy_(0.5 + torch.rand_like(value))
            elif value.ndim < 2:
                value.add_(0.2 * noise)
            elif any(part in name for part in ("embedding", "pos_embed", "cls_token", "latent")):
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


def stored(model, dtype):
    return {key: value.to(dtype) if value.is_floating_point() else value
            for key, value in model.state_dict().items()}


def write_case(folder, name, cfg, dtype, model, more_texts=(), weights=None):
    """Writes the three files of a case; `cfg` is what the engine reads, `model` what Python built."""
    versions = {"open_clip": open_clip.__version__, "torch": torch.__version__.split("+")[0],
                "numpy": numpy.__version__}
    if "siglip" in name or "mobileclip" in name:
        versions["timm"] = timm.__version__
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
    weights = weights or stored(model, dtype)
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
        cfg = dict(dict(embed_dim=16), **cfg)
        model = build(cfg, dtype)
        weights = stored(model, dtype)
        if name in RESIZED:
            cfg, model = resize(model, cfg, *RESIZED[name])
        write_case(folder, name, cfg, dtype, model, weights=weights)


if __name__ == "__main__":
    main()
