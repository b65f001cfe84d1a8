#!/usr/bin/env python3
"""Compares the Python package openclip with open_clip itself, in one process.

    pip install open_clip_torch . && tools/parity_python.py

Pictures of tests/golden/image and random ones in every mode of Pillow go through both transforms with
several settings; they must be equal to the last bit. The usage example runs on the tiny model with
both. Prints one line for each comparison and fails on a difference.
"""
import pathlib
import sys

import numpy as np
import open_clip
import openclip
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = f"local-dir:{ROOT}/tests/golden/tiny_model"
SETTINGS = [dict(image_size=48), dict(image_size=224), dict(image_size=48, resize_mode="squash"),
            dict(image_size=48, interpolation="bilinear"),
            dict(image_size=48, resize_mode="longest", fill_color=90)]
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "La", "CMYK", "YCbCr", "HSV",
         "LAB", "I", "F", "I;16", "I;16B", "I;16L")


def random_image(mode, rng):
    width, height = (int(x) for x in rng.integers(20, 300, 2))
    rgb = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8).astype(np.uint8))
    if mode.startswith("I;16"):
        values = rng.integers(0, 65536, (height, width)).astype(">u2" if mode[-1] == "B" else "<u2")
        return Image.frombytes(mode, (width, height), values.tobytes())
    if mode in ("La", "PA"):
        grey = rgb.convert("LA")
        grey.putalpha(Image.fromarray(rng.integers(0, 256, (height, width)).astype(np.uint8)))
        return grey.convert(mode)
    if mode in ("I", "F"):
        return rgb.convert("L").convert(mode)
    if mode == "RGBa":
        return rgb.convert("RGBA").convert("RGBa")
    if mode in ("RGBA", "LA"):
        rgb.putalpha(Image.fromarray(rng.integers(0, 256, (height, width)).astype(np.uint8)))
    return rgb.convert(mode)


def images(rng):
    for path in sorted((ROOT / "tests/golden/image").iterdir()):
        if path.suffix in (".png", ".jpg", ".webp", ".gif", ".bmp"):
            try:
                image = Image.open(path)
                image.load()
            except OSError:
                continue
            yield path.name, image
    for mode in MODES:
        for i in range(3):
            yield f"random {mode} {i}", random_image(mode, rng)


def main():
    rng = np.random.default_rng(0)
    transforms = [(open_clip.image_transform(is_train=False, **s), openclip.image_transform(**s), s)
                  for s in SETTINGS]
    compared, refused, wrong = 0, {}, 0
    for name, image in images(rng):
        for theirs, ours, settings in transforms:
            try:
                expected = theirs(image).numpy()
            except Exception:  # noqa: BLE001 - what open_clip cannot do is not compared
                continue
            try:
                found = ours(image)
            except ValueError:
                refused.setdefault(image.mode, settings)
                continue
            compared += 1
            if not np.array_equal(found, expected):
                wrong += 1
                print(f"{name} {image.mode} {settings}: differs by {np.abs(found - expected).max()}")
    print(f"{compared} transforms compared, {wrong} differ; refused: {refused or 'none'}")

    theirs, _, preprocess = open_clip.create_model_and_transforms(TINY)
    ours, _, transform = openclip.create_model_and_transforms(TINY)
    theirs.eval()
    image = Image.open(ROOT / "samples/cat.png")
    text = openclip.get_tokenizer(TINY)(["a diagram", "a dog", "a cat"])
    with torch.no_grad():
        expected = [theirs.encode_image(preprocess(image)[None]), theirs.encode_text(torch.tensor(text))]
    found = [ours.encode_image(transform(image)[None]), ours.encode_text(text)]
    for name, x, y in zip(("image", "text"), found, expected):
        difference = float(np.abs(x - y.numpy()).max())
        wrong += difference > 2e-5
        print(f"{name} features differ by {difference:.1e}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
