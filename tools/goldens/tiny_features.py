#!/usr/bin/env python3
"""Writes tests/golden/tiny_features.json: what Python's open_clip computes with the tiny model.

    pip install open_clip_torch tokenizers
    tools/goldens/tiny_features.py

Pictures of samples/ through open_clip's preprocessing and towers, prompts through its tokenizers' ids,
and the zero-shot probabilities of both, for tests/e2e/parity_test.py.
"""
import json
import pathlib

import open_clip
import torch
from PIL import Image
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "tests/golden/tiny_model"
IMAGES = ["samples/cat.png", "samples/heart.png", "samples/car.png"]
LABELS = ["cat", "a red heart", "汽车"]
TEMPLATES = ["{}", "a photo of a {}."]


def main():
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{MODEL}")
    model.eval()
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    def ids(text):
        found = tokenizer.encode(text).ids
        if len(found) > model.context_length:
            found = found[:model.context_length - 1] + found[-1:]
        return found + [0] * (model.context_length - len(found))

    prompts = [template.format(label) for label in LABELS for template in TEMPLATES]
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.open(ROOT / path)) for path in IMAGES])
        image = model.encode_image(pixels, normalize=True)
        text = model.encode_text(torch.tensor([ids(p) for p in prompts]), normalize=True)
        classes = text.reshape(len(LABELS), len(TEMPLATES), -1).mean(1)
        classes = torch.nn.functional.normalize(classes, dim=-1)
        scores = (model.logit_scale.exp() * image @ classes.T).softmax(-1)
    golden = {"versions": {"open_clip": open_clip.__version__, "torch": torch.__version__},
              "images": IMAGES, "labels": LABELS, "templates": TEMPLATES, "prompts": prompts,
              "ids": [ids(p) for p in prompts], "image_features": image.tolist(),
              "text_features": text.tolist(), "scores": scores.tolist()}
    path = ROOT / "tests/golden/tiny_features.json"
    path.write_text(json.dumps(golden, ensure_ascii=False) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
