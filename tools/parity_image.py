#!/usr/bin/env python3
"""Compares `openclip preprocess` with open_clip's eval transform on random pictures.

    python3 tools/parity_image.py build/openclip [--count 400] [--seed 1]

Needs Pillow, torchvision, open_clip_torch. Pictures: every mode and format that Pillow writes,
sides from 1 to 1500, aspect ratios up to 100. Exit code 0: no number differs by more than 1e-6.
"""
import argparse
import contextlib
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from PIL import Image
from open_clip.transform import image_transform

ROOT = pathlib.Path(__file__).parent.parent
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# size, resize_mode, interpolation, fill_color, (mean, std). Square, as image_size of a model must be;
# the other shapes are in tests/golden/image.
SETTINGS = [
    (224, "shortest", "bicubic", 0, OPENAI), (256, "squash", "bilinear", 0, HALF),
    (96, "longest", "bicubic", 0, OPENAI), (65, "longest", "bilinear", 200, HALF),
    (30, "shortest", "bilinear", 0, HALF), (128, "squash", "bicubic", 0, OPENAI)]


def random_size(rng):
    if rng.random() < 0.1:
        return rng.randint(1, 8), rng.randint(1, 8)
    side = math.exp(rng.uniform(math.log(8), math.log(900)))
    aspect = math.exp(rng.gauss(0, 0.5 if rng.random() < 0.8 else 1.8))
    return tuple(max(1, min(1500, round(side * f))) for f in (aspect ** 0.5, aspect ** -0.5))


def random_planes(numbers, width, height, count):
    """Noise, soft waves, or hard steps: the last two catch overshoot and rounding at edges."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    kind = numbers.integers(3)
    for _ in range(count):
        if kind == 0:
            planes.append(numbers.integers(0, 256, (height, width)))
            continue
        a, b, c = numbers.normal(0, 0.15, 3)
        wave = np.sin(a * x + b * y + 9 * c)
        wave = np.where(wave > c, 1, -1) if kind == 1 else wave + numbers.normal(0, 0.1, wave.shape)
        planes.append(np.clip(wave * 127 + 128, 0, 255))
    return np.stack(planes, 2).astype(np.uint8)


def random_picture(rng, numbers, folder, number):
    """Saves a picture; its path."""
    width, height = random_size(rng)
    planes = random_planes(numbers, width, height, 4)
    rgb = Image.fromarray(np.ascontiguousarray(planes[:, :, :3]))
    rgba = Image.fromarray(planes)
    grey = rgb.getchannel(0)
    wide = Image.fromarray((planes[:, :, 0].astype(np.uint16) << 8 | planes[:, :, 1]) >> rng.choice((0, 6, 8)))
    cmyk = Image.merge("CMYK", rgba.split())
    palette = rgb.quantize(rng.choice((2, 5, 16, 200)), dither=0)
    jpeg = {"quality": rng.randint(5, 100), "progressive": rng.random() < 0.4, "subsampling": rng.randint(0, 2)}
    image, kind, options = rng.choice([
        (rgb, "jpeg", jpeg), (rgb, "jpeg", jpeg), (rgb, "jpeg", jpeg), (grey, "jpeg", jpeg), (cmyk, "jpeg", jpeg),
        (rgb, "png", {}), (rgba, "png", {}), (grey, "png", {}), (wide, "png", {}), (rgba.convert("LA"), "png", {}),
        (palette, "png", {}), (palette, "png", {"transparency": 1}), (grey.convert("1"), "png", {}),
        (rgb, "webp", {"quality": rng.randint(1, 100)}), (rgba, "webp", {"quality": rng.randint(1, 100)}),
        (rgba, "webp", {"lossless": True, "exact": True}), (palette, "gif", {"interlace": rng.randint(0, 1)}),
        (palette, "gif", {"transparency": 1}), (grey, "gif", {}), (grey.convert("1"), "gif", {}),
        (rgb, "bmp", {}), (rgba, "bmp", {}), (grey, "bmp", {}), (palette, "bmp", {}), (grey.convert("1"), "bmp", {})])
    path = folder / f"{number:04}_{image.mode.replace(';', '')}_{width}x{height}.{kind}"
    image.save(path, kind, **options)
    return path


def write_model(folder, setting):
    """The tiny model's folder with another size and preprocessing."""
    size, mode, interpolation, fill, (mean, std) = setting
    source = ROOT / "tests/golden/tiny_model"
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = size
    config["preprocess_cfg"] = {"size": size, "mode": "RGB", "mean": mean, "std": std, "interpolation": interpolation,
                                "resize_mode": mode, "fill_color": fill}
    path.write_text(json.dumps(config))


def theirs_of(paths, setting):
    """(path, tensor) of the pictures that open_clip can prepare; it fails where a side rounds to 0."""
    size, mode, interpolation, fill, (mean, std) = setting
    transform = image_transform(size, False, mean, std, mode, interpolation, fill)
    for path in paths:
        with contextlib.suppress(ValueError), Image.open(path) as image:
            yield path, transform(image).numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rng, numbers = random.Random(options.seed), np.random.default_rng(options.seed)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = [random_picture(rng, numbers, folder, i) for i in range(options.count)]
        for i, setting in enumerate(SETTINGS):
            theirs = list(theirs_of(paths, setting))
            model = folder / f"model{i}"
            model.mkdir()
            write_model(model, setting)
            out = folder / "out.npy"
            done = subprocess.run([options.program, "preprocess", *(str(path) for path, _ in theirs), "--out", str(out),
                                   "--model", str(model), "--quiet"])
            if done.returncode != 0:
                sys.exit("openclip preprocess failed")
            worst, different = 0.0, 0
            for (path, wanted), ours in zip(theirs, np.load(out), strict=True):
                difference = float(np.abs(wanted - ours).max())
                worst = max(worst, difference)
                if difference > 1e-6:
                    different += 1
                    if different <= 10:
                        print(f"  {path.name}: {difference:.3g}")
            print(f"{setting[:4]}: {len(theirs)} pictures, {different} differ, largest difference {worst:.2g}")
            failed += different
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
