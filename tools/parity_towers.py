#!/usr/bin/env python3
"""Compares full-size towers with Python's on the same pixels and token ids: features, not normalised.

    tools/parity_towers.py [MODEL]... [--images FILE...] [--dtype bf16] [--text-only] [--save]
    needs: pip install open_clip_torch==3.3.0 timm transformers safetensors; ninja -C build tower_bench

For models whose tokenizer is not at hand: nothing is downloaded. Models are randomly initialised, and
towers of transformers get the sizes of src/models/config/hf_text.json. tools/parity.py starts from text
instead. Fails if any feature differs by more than --tolerance. --save keeps what was measured in
docs/models_measured.json, from which tools/models_table.py writes docs/models.md. --text-only puts a tiny
image tower beside the text tower, for models that do not fit the memory.
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
MEASURED = ROOT / "docs/models_measured.json"
MODELS = ["convnext_base", "convnext_large_d", "roberta-ViT-B-32", "xlm-roberta-base-ViT-B-32"]


def randomise(model):
    """Where a training starts at constants (norms, biases, LayerScale), random numbers show a mix-up."""
    for name, value in model.state_dict().items():
        if name.endswith(".gamma"):  # 1e-6 at the start: the blocks would be left out
            value.copy_(0.5 + 0.2 * torch.randn_like(value))
        elif value.is_floating_point() and value.ndim == 1 and name != "logit_scale":
            value.add_(0.02 * torch.randn_like(value))


DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
TINY_VISION = {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16}


def build(cfg, sizes_folder, dtype=torch.float32):
    """The model of open_clip's config; a tower of transformers reads its sizes from a folder."""
    cfg = json.loads(json.dumps(cfg))
    text, custom = cfg["text_cfg"], cfg.pop("custom_text", False)
    for key in ("tokenizer_kwargs", "hf_tokenizer_name"):
        text.pop(key, None)  # no tokenizer is needed here
    if "hf_model_name" in text:
        table = json.loads((ROOT / "src/models/config/hf_text.json").read_text())["models"]
        facts = table[text["hf_model_name"].split("/")[-1]]
        (sizes_folder / "config.json").write_text(json.dumps(facts))
        text.update(hf_model_name=str(sizes_folder), hf_model_pretrained=False)
        custom = True
    kind = open_clip.CoCa if "multimodal_cfg" in cfg else open_clip.CustomTextCLIP if custom else open_clip.CLIP
    model = kind(**cfg).eval()
    randomise(model)
    if dtype != torch.float32:  # what the checkpoint holds, computed in f32 by both
        for name, value in model.state_dict().items():
            if value.is_floating_point() and value.ndim:
                value.copy_(value.to(dtype).float())
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


def compare(cfg, args, folder):
    """Both largest differences, as tower_bench prints them, and the largest features."""
    images, binary, dtype = args.images, args.binary, DTYPES[args.dtype]
    if args.text_only:
        cfg = dict(cfg, vision_cfg=TINY_VISION)
    model = build(cfg, folder, dtype)
    pixels = pixels_of(cfg, images)
    ids, lengths = texts(model, cfg, 5)
    with torch.no_grad():
        io = {"pixels": pixels, "image_features": model.encode_image(pixels, normalize=False),
              "ids": ids.to(torch.int32), "lengths": lengths, "text_features": model.encode_text(ids, normalize=False)}
    weights = folder / "model.safetensors"
    stored = {k: v.to(dtype) if v.is_floating_point() and v.ndim else v for k, v in model.state_dict().items()}
    safetensors.torch.save_file({k: v.contiguous() for k, v in stored.items()}, weights)
    del model, stored
    safetensors.torch.save_file({k: v.contiguous() for k, v in io.items()}, folder / "io.safetensors")
    (folder / "model.json").write_text(json.dumps(cfg))
    out = subprocess.run([binary, folder / "model.json", weights, "--seconds", "0",
                          "--io", folder / "io.safetensors"], check=True, capture_output=True, text=True)
    found = re.search(r"image (\S+) text (\S+)", out.stdout)
    return [float(x) for x in found.groups()], [
        float(io[key].abs().max()) for key in ("image_features", "text_features")]


def keep(name, args, different):
    """Merges one measurement into the stored ones."""
    stored = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    parts = {"text": different[1]} if args.text_only else {"image": different[0], "text": different[1]}
    stored.setdefault(name, {})[args.dtype] = {key: float(f"{value:.1e}") for key, value in parts.items()}
    lines = [f" {json.dumps(key)}: {json.dumps(stored[key])}" for key in sorted(stored)]
    MEASURED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--images", nargs="+", type=pathlib.Path,
                        default=[ROOT / "samples/cat.png", ROOT / "samples/fish.png"])
    parser.add_argument("--binary", default=ROOT / "build/tower_bench")
    parser.add_argument("--tolerance", type=float, default=3e-5)
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--text-only", action="store_true")
    parser.add_argument("--save", action="store_true")
    args = parser.parse_args()
    failed = False
    for name in args.models:
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            different, largest = compare(open_clip.get_model_config(name), args, pathlib.Path(folder))
        ok = max(different) <= args.tolerance
        failed |= not ok
        print(f"{name}: max abs difference images {different[0]:.1e} texts {different[1]:.1e}, largest "
              f"features {largest[0]:.2f} {largest[1]:.2f} {'ok' if ok else 'FAILED'}", flush=True)
        if args.save and ok:
            keep(name, args, different)
    sys.exit(failed)


if __name__ == "__main__":
    main()
