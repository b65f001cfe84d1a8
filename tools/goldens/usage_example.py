#!/usr/bin/env python3
"""Writes tests/golden/usage_example.json: what open_clip's own usage example prints.

    pip install open_clip_torch tokenizers
    tools/goldens/usage_example.py

The lines are those of open_clip's README, on the tiny model and pictures of samples/. Its tokenizer is
read with the package tokenizers, since the folder has no files for transformers. The tiny model's
logit scale is 20, so `scores` are also given with that factor, for `openclip classify`.
"""
import json
import pathlib

import open_clip
import torch
from PIL import Image
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "tests/golden/tiny_model"
IMAGES = ["samples/cat.png", "samples/car.png", "samples/guitar.png"]
LABELS = ["a diagram", "a dog", "a cat"]


def main():
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{MODEL}")
    model.eval()
    tokens = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    def tokenizer(texts):
        ids = [tokens.encode(text).ids for text in texts]
        return torch.tensor([row + [0] * (model.context_length - len(row)) for row in ids])

    golden = {"versions": {"open_clip": open_clip.__version__, "torch": torch.__version__},
              "labels": LABELS, "examples": []}
    for path in IMAGES:
        image = preprocess(Image.open(ROOT / path)).unsqueeze(0)
        text = tokenizer(LABELS)
        with torch.no_grad():
            image_features = model.encode_image(image)
            text_features = model.encode_text(text)
            image_features /= image_features.norm(dim=-1, keepdim=True)
            text_features /= text_features.norm(dim=-1, keepdim=True)
            text_probs = (100.0 * image_features @ text_features.T).softmax(dim=-1)
            scores = (model.logit_scale.exp() * image_features @ text_features.T).softmax(dim=-1)
        golden["examples"].append({"image": path, "text_probs": text_probs[0].tolist(),
                                   "scores": scores[0].tolist()})
    target = ROOT / "tests/golden/usage_example.json"
    target.write_text(json.dumps(golden, indent=1) + "\n")
    print(target, target.stat().st_size)


if __name__ == "__main__":
    main()
