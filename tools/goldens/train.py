#!/usr/bin/env python3
"""Writes tests/golden/train/*.json: ten training steps of tiny models, their first gradients and the
statistics of fresh weights, by Python open_clip. Needs open_clip_torch 3.3.0.

Weights and batches follow from a hash that train/testing/hash_fill.h repeats, so that no tensors need
to be stored.

    python tools/goldens/train.py
"""

import json
import math
import os

import numpy as np
import open_clip
import torch
from open_clip.coca_model import CoCa
from open_clip.loss import ClipLoss, CoCaLoss
from open_clip.model import CLIP, CustomTextCLIP
from open_clip_train.scheduler import const_lr, const_lr_cooldown, cosine_lr

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden", "train")
TEXT = {"context_length": 12, "vocab_size": 64, "width": 32, "heads": 2, "layers": 2}
MODELS = {
    "vit": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
        "text_cfg": TEXT,
    },
    "vit_quickgelu_avg": {
        "embed_dim": 16,
        "quick_gelu": True,
        "custom_text": True,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 1, "head_width": 16,
                       "pool_type": "avg", "final_ln_after_pool": True, "ls_init_value": 0.5},
        "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last"},
    },
    "resnet": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 8, "head_width": 32},
        "text_cfg": TEXT,
    },
    "vit_coca": {
        "embed_dim": 32,
        "custom_text": True,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 48, "layers": 2, "head_width": 16,
                       "attentional_pool": True, "attn_pooler_queries": 6, "attn_pooler_heads": 4,
                       "output_tokens": True},
        "text_cfg": {**TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {"context_length": 12, "vocab_size": 64, "width": 32, "heads": 2, "layers": 2},
    },
}
BATCH, STEPS, WARMUP, LR, DECAY = 8, 10, 3, 1e-3, 0.2


def hash_fill(count, salt):
    """`count` numbers in [-0.5, 0.5), as hash_fill() in C++."""
    x = np.arange(count, dtype=np.uint64) * 0x9E3779B1 + np.uint64(salt) * 0x85EBCA77
    x &= 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x2C1B3C6D & 0xFFFFFFFF
    x ^= x >> 12
    x = x * 0x297A2D39 & 0xFFFFFFFF
    x ^= x >> 15
    return x.astype(np.float64) / 2**32 - 0.5


def build(cfg):
    cfg = dict(cfg)
    custom = cfg.pop("custom_text", False)
    if "multimodal_cfg" in cfg:
        return CoCa(**cfg)
    return (CustomTextCLIP if custom else CLIP)(**cfg)


def losses(model, images, ids):
    """Features of the pictures and texts, and the loss that open_clip_train gives to backward()."""
    out = model(images, ids)
    if isinstance(out, dict):
        parts = CoCaLoss(caption_loss_weight=2.0, clip_loss_weight=1.0)(
            out["image_features"], out["text_features"], out["logits"], out["labels"], out["logit_scale"])
        return out["image_features"], out["text_features"], sum(parts)
    return out[0], out[1], ClipLoss()(*out[:3])


def fill_weights(model):
    """Every trainable tensor, in the order of their sorted names."""
    for salt, (name, p) in enumerate(sorted(model.named_parameters())):
        if name == "logit_scale":
            continue
        values = hash_fill(p.numel(), salt + 1000)
        if p.ndim < 2:
            base = 1.0 if name.endswith("weight") or name.endswith("gamma") else 0.0
            values = base + 0.2 * values
        else:
            values = values * 2 / math.sqrt(p.shape[-1] if p.ndim == 2 else p[0].numel())
        p.data.copy_(torch.from_numpy(values.astype(np.float32)).view(p.shape))


def batch(cfg, step):
    size, text = cfg["vision_cfg"]["image_size"], cfg["text_cfg"]
    pixels = hash_fill(BATCH * 3 * size * size, step) * 4
    images = torch.from_numpy(pixels.astype(np.float32)).view(BATCH, 3, size, size)
    context, vocab = text["context_length"], text["vocab_size"]
    noise = hash_fill(BATCH * context, step + 500).reshape(BATCH, context) + 0.5
    ids = (noise * (vocab - 3)).astype(np.int64) + 1
    for row in range(BATCH):
        length = 3 + (row * 5 + step) % (context - 3)  # start token … end token
        ids[row, 0] = vocab - 2
        ids[row, length - 1] = vocab - 1
        ids[row, length:] = 0
    return images, torch.from_numpy(ids)


def adamw(model, name):
    # open_clip_train/main.py and params.py of 3.3.0
    def exclude(n, p):
        return p.ndim < 2 or "bn" in n or "ln" in n or "bias" in n or "logit_scale" in n

    named = list(model.named_parameters())
    beta2, eps = (0.98, 1e-6) if "vit" in name else (0.999, 1e-8)
    return torch.optim.AdamW(
        [{"params": [p for n, p in named if exclude(n, p)], "weight_decay": 0.0},
         {"params": [p for n, p in named if not exclude(n, p)], "weight_decay": DECAY}],
        lr=LR, betas=(0.9, beta2), eps=eps)


def run(name, cfg):
    model = build(cfg)
    fill_weights(model)
    model.train()
    optimizer = adamw(model, name)
    scheduler = cosine_lr(optimizer, LR, WARMUP, STEPS)
    result = {"config": cfg, "batch": BATCH, "warmup": WARMUP, "lr": LR, "weight_decay": DECAY,
              "steps": [], "gradients": {}}
    for step in range(STEPS):
        images, ids = batch(cfg, step)
        scheduler(step)
        optimizer.zero_grad()
        image, text, loss = losses(model, images, ids)
        loss.backward()
        if step == 0:
            for key, p in model.named_parameters():
                grad = p.grad.double().flatten()
                weights = torch.from_numpy(hash_fill(grad.numel(), 77))
                # The norm, and a projection that depends on the order of elements.
                result["gradients"][key] = [grad.norm().item(), (grad * weights).sum().item()]
            result["image_features"] = image[0].tolist()
            result["text_features"] = text[0].tolist()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        result["steps"].append({"loss": loss.item(), "lr": optimizer.param_groups[0]["lr"],
                                "logit_scale": model.logit_scale.item()})
    return result


def schedules():
    class Optimizer:
        param_groups = [{}]

    def values(schedule):
        out = []
        for step in range(20):
            schedule(step)
            out.append(Optimizer.param_groups[0]["lr"])
        return out

    optimizer = Optimizer()
    return {"cosine": values(cosine_lr(optimizer, LR, 5, 20)),
            "const": values(const_lr(optimizer, LR, 5, 20)),
            "const-cooldown": values(const_lr_cooldown(optimizer, LR, 5, 20, 8, 2.0, 1e-5))}


def init_statistics(cfg, seeds=24):
    """Mean and standard deviation of each tensor over fresh models."""
    sums = {}
    for seed in range(seeds):
        torch.manual_seed(seed)
        for name, p in build(cfg).named_parameters():
            sums.setdefault(name, []).append(p.detach().double().flatten())
    result = {}
    for name, parts in sums.items():
        values = torch.cat(parts)
        result[name] = [values.mean().item(), values.std(unbiased=False).item(),
                        values.abs().max().item()]
    return {"config": cfg, "seeds": seeds, "tensors": result}


def write(name, value):
    value["versions"] = {"open_clip": open_clip.__version__, "torch": torch.__version__}
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def main():
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    for name, cfg in MODELS.items():
        write("steps_" + name, run(name, cfg))
        if name != "vit_coca":  # open_clip leaves a tensor of the decoder as it finds the memory
            write("init_" + name, init_statistics(cfg))
    write("schedules", schedules())


if __name__ == "__main__":
    main()
