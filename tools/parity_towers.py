#!/usr/bin/env python3
"""Compares full-size towers with Python's on the same pixels and token ids: features, not normalised.

    tools/parity_towers.py [MODEL]... [--images FILE...]
    needs: pip install open_clip_torch==3.3.0 timm transformers safetensors; ninja -C build tower_bench

For models whose tokenizer is not at hand: nothing is downloaded. Models are randomly initialised, and
towers of transformers get the sizes of src/models/config/hf_text.json. tools/parity.py starts from text
instead. Fails if any feature differs by more than --tolerance.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import open_clip
import safetensors.torch
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODELS = ["convnext_base", "convnext_large_d", "roberta-ViT-B-32", "xlm-roberta-base-ViT-B-32"]


def randomise(model):
    """Where a training starts at constants (norms, biases, LayerScale), random numbers show a mix-up."""
    for name, value in model.state_dict().items():
        if name.endswith(".gamma"):  # 1e-6 at the start: the blocks would be left out
            value.copy_(0.5 + 0.2 * torch.randn_like(value))
        elif value.is_floating_point() and value.ndim == 1 and name != "logit_scale":
            value.add_(0.02 * torch.randn_like(value))


def build(cfg, sizes_folder):
    """The model of open_clip's config; a tower of transformers reads its sizes from a folder."""
    cfg = json.loads(json.dumps(cfg))
    text, custom = cfg["text_cfg"], cfg.pop("custom_text", False)
    if "hf_model_name" in text:
        table = json.loads((ROOT / "src/models/config/hf_text.json").read_text())["models"]
        facts = table[text["hf_model_name"].split("/")[-1]]
        (sizes_folder / "config.json").write_text(json.dumps(facts))
        text.update(hf_model_name=str(sizes_folder), hf_model_pretrained=False)
        custom = True
    model = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**cfg).eval()
    randomise(model)
    return model


def texts(model, cfg, count):
    """Padded ids and lengths: start and end token around ids of natural length, the first one full."""
    context = cfg["text_cfg"].get("context_length", 77)
    hf = getattr(getattr(model, "text", None), "config", None)
    end = hf.vocab_size - 1 if hf else cfg["text_cfg"].get("vocab_size", 49408) - 1
    pad = hf.pad_token_id if hf else 0
    ids = torch.full((count, context), pad)
    lengths = [context, 3, 9, 14, 30][:count]
    for row, length in zip(ids, lengths):
        row[:length] = torch.randint(5, end - 2, (length,))
        row[length - 1] = end
    return ids, torch.tensor(lengths, dtype=torch.int32)


def pixels_of(cfg, images):
    size = cfg["vision_cfg"]["image_size"]
    transform = open_clip.image_transform(size, is_train=False)
    return torch.stack([transform(Image.open(path)) for path in images])


def compare(name, cfg, images, binary, folder):
    """Both largest differences, as tower_bench prints them, and the largest features."""
    model = build(cfg, folder)
    pixels = pixels_of(cfg, images)
    ids, lengths = texts(model, cfg, 5)
    with torch.no_grad():
        io = {"pixels": pixels, "image_features": model.encode_image(pixels),
              "ids": ids.to(torch.int32), "lengths": lengths, "text_features": model.encode_text(ids)}
    weights = folder / "model.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    del model
    safetensors.torch.save_file({k: v.contiguous() for k, v in io.items()}, folder / "io.safetensors")
    (folder / "model.json").write_text(json.dumps(cfg))
    out = subprocess.run([binary, folder / "model.json", weights, "--seconds", "0",
                          "--io", folder / "io.safetensors"], check=True, capture_output=True, text=True)
    found = re.search(r"image (\S+) text (\S+)", out.stdout)
    return [float(x) for x in found.groups()], [
        float(io[key].abs().max()) for key in ("image_features", "text_features")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--images", nargs="+", type=pathlib.Path,
                        default=[ROOT / "samples/cat.png", ROOT / "samples/fish.png"])
    parser.add_argument("--binary", default=ROOT / "build/tower_bench")
    parser.add_argument("--tolerance", type=float, default=3e-5)
    args = parser.parse_args()
    failed = False
    for name in args.models:
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            different, largest = compare(name, open_clip.get_model_config(name), args.images,
                                         args.binary, pathlib.Path(folder))
        ok = max(different) <= args.tolerance
        failed |= not ok
        print(f"{name}: max abs difference images {different[0]:.1e} texts {different[1]:.1e}, largest "
              f"features {largest[0]:.2f} {largest[1]:.2f} {'ok' if ok else 'FAILED'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
