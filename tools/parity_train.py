#!/usr/bin/env python3
"""Checks openclip-train's checkpoints against Python open_clip, in both directions:
what it trains loads there (keys, config, preprocessing, tokenizer) and works as well there, and
weights written by Python come back from a training without learning rate unchanged.

    python tools/parity_train.py build/openclip-train

Needs open_clip_torch 3.3.0, safetensors and tokenizers.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import open_clip
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = ROOT / "tests/golden/tiny_model"
TEXT = {"context_length": 16, "vocab_size": 521, "width": 32, "heads": 2, "layers": 2,
        "hf_tokenizer_name": "tiny"}
MODELS = {
    "resnet": {"embed_dim": 16, "text_cfg": TEXT,
               "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32}},
    "vit": {"embed_dim": 16, "text_cfg": TEXT, "quick_gelu": True,
            "vision_cfg": {"image_size": 32, "patch_size": 8, "layers": 2, "width": 32,
                           "head_width": 16}},
}
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220), "grey": (128,) * 3}
SHAPES = ("disc", "box", "bar")


def draw(folder):
    """Twelve kinds of pictures, eight of each, with captions beside them."""
    names = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    for i in range(8 * len(names)):
        colour, shape = names[i % len(names)].split()
        image = Image.new("RGB", (40, 40), "white")
        pen = ImageDraw.Draw(image)
        x, y = i % 7, i % 5
        box = (4 + x, 4 + y, 28 + x, 28 + y) if shape != "bar" else (4 + x, 14 + y, 30 + x, 20 + y)
        (pen.ellipse if shape == "disc" else pen.rectangle)(box, fill=COLOURS[colour])
        image.save(folder / f"{i:03}.png")
        (folder / f"{i:03}.txt").write_text(names[i % len(names)])
    return names


def train(program, work, *extra):
    subprocess.run([program, "--train-data", str(work / "data"), "--cache-decoded", "100M", "--logs",
                    str(work), "--tokenizer", str(TINY), "--batch-size", "24", "--warmup", "10",
                    "--workers", "2", "--precision", "fp32", "--log-every-n-steps", "1000", *extra],
                   check=True)


def accuracy(checkpoint, names, work):
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.enable_padding(length=TEXT["context_length"], pad_id=0)
    ids = torch.tensor([e.ids for e in tokenizer.encode_batch(names)])
    files = sorted((work / "data").glob("*.png"))
    images = torch.stack([preprocess(Image.open(f)) for f in files])
    model.eval()
    with torch.no_grad():
        logits = model.encode_image(images, normalize=True) @ model.encode_text(ids, normalize=True).T
    right = torch.arange(len(files)) % len(names)
    return (logits.argmax(1) == right).float().mean().item()


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "data").mkdir()
        names = draw(work / "data")
        for kind, config in MODELS.items():
            (work / f"{kind}.json").write_text(json.dumps(config))
            model = ("--model", str(work / f"{kind}.json"))
            train(program, work, *model, "--name", kind, "--epochs", "80", "--lr", "2e-3", "--wd",
                  "0.1", "--ema", "0.9")
            for part in ("epoch_80", "epoch_80/ema"):
                reached = accuracy(work / kind / "checkpoints" / part, names, work)
                print(f"{kind} {part}: {100 * reached:.1f} % of {len(names)} names right in Python")
                assert reached > 0.6, "chance is 8 %"
            reference = open_clip.model.CLIP(**config).state_dict()
            save_file({k: v.contiguous() for k, v in reference.items()}, work / "python.safetensors")
            train(program, work, *model, "--name", kind + "_still", "--epochs", "1", "--lr", "0",
                  "--pretrained", str(work / "python.safetensors"))
            written = load_file(work / (kind + "_still") / "checkpoints/epoch_1" /
                                "open_clip_model.safetensors")
            assert written.keys() == reference.keys(), written.keys() ^ reference.keys()
            moved = [k for k, v in written.items()
                     if not torch.equal(v, reference[k]) and "running_" not in k and "num_" not in k]
            assert not moved, moved
            print(f"{kind}: {len(written)} tensors from Python came back bit for bit")


if __name__ == "__main__":
    main()
