#!/usr/bin/env python3
"""Writes tests/golden/train/techniques.json by Python open_clip 3.3.0 and timm: steps of NAdamW and Lion,
which tensors stay trainable in locked towers, the parameter groups of AdamW, interpolated positions
and retrieval metrics.

    python tools/goldens/train_techniques.py
"""

import json
import os

import numpy as np
import open_clip
import timm
import torch
from open_clip.model import resize_pos_embed, resize_text_pos_embed
from open_clip_train.train import get_clip_metrics
from timm.optim import Lion, NAdamW
from train import MODELS, OUT, build, hash_fill


def tensor(count, salt):
    return torch.from_numpy(hash_fill(count, salt).astype(np.float32))


def optimizer_steps(make):
    weight = torch.nn.Parameter(tensor(24, 1).view(4, 6))
    optimizer = make([weight])
    values = []
    for step in range(6):
        weight.grad = tensor(24, 10 + step).view(4, 6)
        optimizer.step()
        values.append(weight.detach().flatten().tolist())
    return values


def locked(name):
    result = {}
    for groups in range(5):
        model = build(MODELS[name])
        model.lock_image_tower(unlocked_groups=groups)
        model.lock_text_tower(unlocked_layers=groups)
        result[str(groups)] = sorted(n for n, p in model.named_parameters() if p.requires_grad)
    return result


def decayed(name):
    # open_clip_train/main.py
    def exclude(n, p):
        return p.ndim < 2 or "bn" in n or "ln" in n or "bias" in n or "logit_scale" in n

    return sorted(n for n, p in build(MODELS[name]).named_parameters() if not exclude(n, p))


def positions():
    class Visual:
        grid_size = (5, 5)

    class Model:
        visual = Visual()
        positional_embedding = torch.zeros(9, 8)

    state = {"visual.positional_embedding": tensor(17 * 8, 3).view(17, 8),
             "positional_embedding": tensor(12 * 8, 4).view(12, 8)}
    resize_pos_embed(state, Model())
    resize_text_pos_embed(state, Model())
    return {"grid": state["visual.positional_embedding"].flatten().tolist(),
            "text": state["positional_embedding"].flatten().tolist()}


def metrics():
    image, text = tensor(20 * 6, 5).view(20, 6), tensor(20 * 6, 6).view(20, 6)
    # Some captions find their pictures.
    text[::3] = image[::3] + 0.1 * text[::3]
    values = get_clip_metrics(image, text, torch.tensor(1.0))
    return {k: float(v) for k, v in values.items()}


def main():
    torch.set_num_threads(1)
    out = {"versions": {"open_clip": open_clip.__version__, "timm": timm.__version__,
                        "torch": torch.__version__},
           "nadamw": optimizer_steps(lambda p: NAdamW(p, lr=1e-2, betas=(0.9, 0.98), eps=1e-6,
                                                      weight_decay=0.1)),
           "lion": optimizer_steps(lambda p: Lion(p, lr=1e-2, betas=(0.9, 0.98), weight_decay=0.1)),
           "locked": locked("vit"),
           "decayed": {name: decayed(name) for name in MODELS},
           "positions": positions(),
           "metrics": metrics()}
    with open(os.path.join(OUT, "techniques.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
