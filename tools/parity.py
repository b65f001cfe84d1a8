#!/usr/bin/env python3
"""Compares full-size models with Python open_clip: features of real pictures and texts, not normalised.

    tools/parity.py [MODEL]... --images FILE...
    needs: pip install open_clip_torch==3.3.0 safetensors; build/openclip

Models are randomly initialised (nothing is downloaded), written as a folder with
open_clip_config.json, and used by both sides from the picture and text on, so that preprocessing and
tokenizer are compared too. Fails if any feature differs by more than --tolerance.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import open_clip
import safetensors.torch
import torch
from PIL import Image

MODELS = ["ViT-B-32", "ViT-B-32-quickgelu", "ViT-L-14", "RN50"]
TEXTS = ["a diagram", "a dog", "a photo of a cat sitting on a mat, 1920x1080, Zürich",
         "x", "the quick brown fox jumps over the lazy dog " * 9]


def randomise(model):
    """Where open_clip starts at constants (norms, biases), random numbers show a mix-up."""
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.6, 1.4)
        elif value.is_floating_point() and value.ndim == 1 and name != "logit_scale":
            if name.endswith("bn3.weight"):  # 0 at the start: the block would be left out
                value.fill_(0.3)
            value.add_(0.02 * torch.randn_like(value))


def save(model, name, folder):
    cfg = open_clip.get_model_config(name)
    vision = model.visual
    preprocess = dict(size=vision.image_size, mode="RGB", mean=vision.image_mean,
                      std=vision.image_std, interpolation="bicubic", resize_mode="shortest",
                      fill_color=0)
    (folder / "open_clip_config.json").write_text(
        json.dumps(dict(model_cfg=cfg, preprocess_cfg=preprocess)))
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    safetensors.torch.save_file(weights, folder / "open_clip_model.safetensors")


def python_features(model, preprocess, tokenizer, images):
    with torch.no_grad():
        pixels = [preprocess(Image.open(path)).unsqueeze(0) for path in images]
        rows = [model.encode_image(x, normalize=False) for x in pixels]  # a CoCa normalises unless told
        rows.append(model.encode_text(tokenizer(TEXTS), normalize=False))
    return torch.cat(rows).numpy()


def engine_features(binary, folder, images):
    out = folder / "features.npy"
    command = [binary, "embed", "--model", f"local-dir:{folder}", "--no-normalize", "--quiet",
               "--out", out, *images]
    for text in TEXTS:
        command += ["--text", text]
    subprocess.run(list(map(str, command)), check=True)
    return numpy.load(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--images", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--binary", default=pathlib.Path(__file__).parents[1] / "build/openclip")
    parser.add_argument("--tolerance", type=float, default=2e-5)
    args = parser.parse_args()
    failed = False
    for name in args.models:
        torch.manual_seed(0)
        model, _, preprocess = open_clip.create_model_and_transforms(name)
        model.eval()
        randomise(model)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            save(model, name, folder)
            want = python_features(model, preprocess, open_clip.get_tokenizer(name), args.images)
            got = engine_features(args.binary, folder, args.images)
        difference = numpy.abs(got - want)
        images = len(args.images)
        cosine = (got * want).sum(1) / numpy.linalg.norm(got, axis=1) / numpy.linalg.norm(want, axis=1)
        ok = got.shape == want.shape and difference.max() <= args.tolerance
        failed |= not ok
        print(f"{name}: max abs difference images {difference[:images].max():.1e} "
              f"texts {difference[images:].max():.1e}, largest feature {numpy.abs(want).max():.2f}, "
              f"least cosine {cosine.min():.9f} {'ok' if ok else 'FAILED'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
