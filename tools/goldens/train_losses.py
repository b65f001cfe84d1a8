#!/usr/bin/env python3
"""Writes tests/golden/train/losses.json: values and gradients of the contrastive losses by Python
open_clip 3.3.0, and of NT-Xent by pytorch-metric-learning 2.9.0.

    python tools/goldens/train_losses.py
"""

import json
import os

import numpy as np
import open_clip
import pytorch_metric_learning
import torch
from open_clip.loss import ClipLoss, DistillClipLoss, SigLipLoss
from pytorch_metric_learning.losses import NTXentLoss
from train import OUT, hash_fill

PAIRS, WIDTH = 12, 8


def features(salt):
    x = hash_fill(PAIRS * WIDTH, salt).astype(np.float32).reshape(PAIRS, WIDTH)
    x = torch.from_numpy(x)
    return (x / x.norm(dim=1, keepdim=True)).requires_grad_()


def result(loss, **inputs):
    loss.backward()
    return {"loss": loss.item(), **{k: v.grad.flatten().tolist() for k, v in inputs.items()}}


def scalar(value):
    return torch.tensor(value, requires_grad=True)


def main():
    torch.set_num_threads(1)
    out = {"pairs": PAIRS, "width": WIDTH,
           "versions": {"open_clip": open_clip.__version__, "torch": torch.__version__,
                        "pytorch_metric_learning": pytorch_metric_learning.__version__}}

    image, text, scale = features(1), features(2), scalar(14.0)
    out["clip"] = result(ClipLoss()(image, text, scale), image=image, text=text, scale=scale)

    image, text, scale, bias = features(1), features(2), scalar(10.0), scalar(-3.0)
    out["siglip"] = result(SigLipLoss()(image, text, scale, bias), image=image, text=text,
                           scale=scale, bias=bias)

    image, text, scale = features(1), features(2), scalar(14.0)
    with torch.no_grad():
        teacher = features(3), features(4), scalar(20.0)
    both = DistillClipLoss()(image, text, scale, *teacher)
    out["distill"] = result(sum(both), image=image, text=text, scale=scale)
    out["distill"]["parts"] = [x.item() for x in both]

    first, second = features(5), features(6)
    labels = torch.arange(PAIRS).repeat(2)
    loss = NTXentLoss(temperature=0.2)(torch.cat([first, second]), labels)
    out["nt_xent"] = result(loss, first=first, second=second)

    with open(os.path.join(OUT, "losses.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
