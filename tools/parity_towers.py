#!/usr/bin/env python3
"""Compares full-size towers with Python's on the same pixels and token ids: features, not normalised.

    tools/parity_towers.py [MODEL]... [--images FILE...] [--dtype bf16] [--text-only] [--save]
    tools/parity_towers.py --missing [--budget SECONDS]
    tools/parity_towers.py MODEL… --double
    needs: pip install open_clip_torch==3.3.0 timm transformers safetensors; ninja -C build tower_bench

For models whose tokenizer is not at hand: nothing is downloaded. Models are randomly initialised, and
towers of transformers get the sizes of src/models/config/hf_text.json. tools/parity.py starts from text
instead. Fails if any feature differs by more than --tolerance. --save keeps what was measured in
docs/models_measured.json, from which tools/models_table.py writes docs/models.md. --text-only puts a tiny
image tower beside the text tower, for models that do not fit the memory. --double compares with Python's
features in f64, and says how far Python's own f32 ones are from those: the judge where the two f32 differ by more.

--missing measures every model of the registry that has no figure yet, the smallest first, keeps each
figure at once and writes docs/models.md anew after each: ended or killed, the same command goes on. Weights
are drawn into a file that both programs map, so that Python needs no memory for them; where a model is
large this program loads one tower at a time, and one picture is compared.
"""
import argparse
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import numpy
import open_clip
import safetensors.torch
import torch
from PIL import Image
from torch.overrides import TorchFunctionMode

import models_table

ROOT = pathlib.Path(__file__).resolve().parents[1]
MEASURED = ROOT / "docs/models_measured.json"
MODELS = ["convnext_base", "convnext_large_d", "roberta-ViT-B-32", "xlm-roberta-base-ViT-B-32"]

LARGE = 1 << 20            # elements: from here on a matrix is drawn into the file
ONE_PICTURE = 700_000_000  # parameters: from here on one picture is compared,
ONE_TOWER = 1_500_000_000  # and here this program loads one tower at a time


class LargeUnfilled(TorchFunctionMode):
    """Constructors leave large matrices as they are allocated, which takes neither memory nor time."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        in_place = name.endswith("_") and not name.startswith("__")
        target = args[0] if args else (kwargs or {}).get("tensor")  # torch.nn.init's functions
        if in_place and isinstance(target, torch.Tensor) and target.numel() >= LARGE:
            return target
        return function(*args, **(kwargs or {}))


def randomise(model):
    """Where a training starts at constants (norms, biases) or near nothing (LayerScale, the last norm of a
    residual branch, timm's heads of EVA and PE), random numbers of the usual size: what is nothing hides a mix-up."""
    for name, value in model.state_dict().items():
        if not value.is_floating_point() or not value.ndim or value.numel() >= LARGE and value.ndim > 1:
            continue  # large matrices are drawn in write_weights
        size = value.abs().mean()
        if size < 0.1 and (name.endswith(".gamma") or value.ndim == 1 and name.endswith(".weight")):
            value.copy_(0.2 + 0.1 * torch.randn_like(value))
        elif value.ndim == 1:
            value.add_(0.02 * torch.randn_like(value))
        elif size < 0.2 / math.sqrt(value[0].numel()):
            value.copy_(torch.randn_like(value) / math.sqrt(value[0].numel()))
    # Norms at the end of branches of size 1 (EVA02-E): the sum of 128 of them makes attention a choice of one
    # token, and features chaos (Python's own in f32 are 1.4e-2 from those in f64).
    for block in (m for m in model.modules() if type(m).__name__ == "EvaBlockPostNorm"):
        for norm in (block.norm1, block.norm2):
            norm.weight.data.copy_(0.2 + 0.1 * torch.randn_like(norm.weight))


DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
STORED = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64"}
TINY_VISION = {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16}


def write_weights(state, path, dtype):
    """A safetensors file of the state; large matrices are drawn here, uniform, of deviation fan_in^-1/2."""
    header, end = {}, 0
    for name, value in state.items():
        kind = dtype if value.is_floating_point() and value.ndim else value.dtype
        begin, end = end, end + value.numel() * kind.itemsize
        header[name] = {"dtype": STORED[kind], "shape": list(value.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = numpy.random.default_rng(0)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, value in state.items():
            if value.numel() >= LARGE:
                drawn = generator.random(value.numel(), dtype=numpy.float32)
                drawn -= 0.5
                drawn *= math.sqrt(12 / math.prod(value.shape[1:]))
                value = torch.from_numpy(drawn)
            kind = dtype if value.is_floating_point() and header[name]["shape"] else value.dtype
            file.write(value.to(kind).contiguous().view(-1).view(torch.uint8).numpy().data)


def in_f32(state):
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def build(cfg, folder, weights, dtype=torch.float32):
    """The model of open_clip's config on the weights that it writes; a tower of transformers reads its
    sizes from the folder."""
    cfg = json.loads(json.dumps(cfg))
    text, custom = cfg["text_cfg"], cfg.pop("custom_text", False)
    for key in ("tokenizer_kwargs", "hf_tokenizer_name"):
        text.pop(key, None)  # no tokenizer is needed here
    if "hf_model_name" in text:
        table = json.loads((ROOT / "src/models/config/hf_text.json").read_text())["models"]
        facts = table[text["hf_model_name"].split("/")[-1]]
        (folder / "config.json").write_text(json.dumps(facts))
        text.update(hf_model_name=str(folder), hf_model_pretrained=False)
        custom = True
    kind = open_clip.CoCa if "multimodal_cfg" in cfg else open_clip.CustomTextCLIP if custom else open_clip.CLIP
    with LargeUnfilled():
        model = kind(**cfg).eval()
    randomise(model)
    write_weights(model.state_dict(), weights, dtype)
    stored = safetensors.torch.load_file(weights)  # mapped; bf16 is what the file holds, both compute in f32
    model.load_state_dict(in_f32(stored), assign=True)
    return model


def settle(model, pixels, weights, dtype):
    """Gives BatchNorms the means and variances of these pictures, as a training does: with those of no training a
    deep tower makes nearly the same features of every picture, or chaos. Writes and loads the weights anew."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1
        norm.train()
    with torch.no_grad():
        model.encode_image(pixels)
    model.eval()
    state = {k: v.to(dtype) if v.is_floating_point() and v.ndim else v for k, v in model.state_dict().items()}
    safetensors.torch.save_file({k: v.clone() for k, v in state.items()}, weights)
    model.load_state_dict(in_f32(state))


def texts(model, cfg, count):
    """Padded ids and lengths: start and end token around ids of natural length, the first one full."""
    context = cfg["text_cfg"].get("context_length", 77)
    hf = getattr(getattr(model, "text", None), "config", None)
    end = hf.vocab_size - 1 if hf else cfg["text_cfg"].get("vocab_size", 49408) - 1
    pad = hf.pad_token_id if hf else 0
    ids = torch.full((count, context), pad)
    lengths = [min(length, context) for length in (context, 3, 9, 14, 30)][:count]
    for row, length in zip(ids, lengths):
        row[:length] = torch.randint(5, end - 2, (length,))
        row[length - 1] = end
    return ids, torch.tensor(lengths, dtype=torch.int32)


def pixels_of(cfg, images):
    size = cfg["vision_cfg"]["image_size"]
    transform = open_clip.image_transform(size, is_train=False)
    return torch.stack([transform(Image.open(path)) for path in images])


def in_double(model):
    """The model with weights in f64; where it is large, blocks and large matrices outside of them only while they
    compute."""
    if sum(p.numel() for p in model.parameters()) < ONE_TOWER:
        return model.double()

    def widen(module, _):
        module.kept = [(p, p.data) for p in module.parameters()]
        for p, data in module.kept:
            p.data = data.double()

    def restore(module, *_):
        for p, data in module.kept:
            p.data = data
        module.kept = None

    blocks = [m for parent in model.modules() if isinstance(parent, torch.nn.ModuleList) for m in parent]
    large = blocks + [m for m in model.modules() if not list(m.children()) and
                      any(p.numel() >= LARGE for p in m.parameters())]
    inside = {p for m in large for p in m.parameters()}
    for p in set(model.parameters()) - inside:
        p.data = p.data.double()
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point():
            buffer.data = buffer.data.double()
    for module in large:
        module.register_forward_pre_hook(widen)
        module.register_forward_hook(restore)
    for module in model.modules():
        if hasattr(module, "get_cast_dtype"):  # it looks at a weight
            module.get_cast_dtype = lambda: torch.double
    return model


def compare(cfg, args, folder):
    """Both largest differences, as tower_bench prints them, and the largest features."""
    images, binary, dtype = args.images, args.binary, DTYPES[args.dtype]
    if args.text_only:
        cfg = dict(cfg, vision_cfg=TINY_VISION)
    weights = folder / "model.safetensors"
    model = build(cfg, folder, weights, dtype)
    parameters = sum(p.numel() for p in model.parameters())
    pixels = pixels_of(cfg, images[:1] if parameters >= ONE_PICTURE else images)
    settle(model, pixels, weights, dtype)
    ids, lengths = texts(model, cfg, 5)
    with torch.inference_mode():
        io = {"pixels": pixels, "image_features": model.encode_image(pixels, normalize=False),
              "ids": ids.to(torch.int32), "lengths": lengths, "text_features": model.encode_text(ids, normalize=False)}
        if args.double:
            exact = in_double(model)
            for key, value in (("image_features", exact.encode_image(pixels.double(), normalize=False)),
                               ("text_features", exact.encode_text(ids, normalize=False))):
                print(f"{key}: Python's f32 differs from its f64 by {(io[key] - value).abs().max():.1e}", flush=True)
                io[key] = value.float()
    del model
    safetensors.torch.save_file({k: v.contiguous() for k, v in io.items()}, folder / "io.safetensors")
    (folder / "model.json").write_text(json.dumps(cfg))
    found = {}
    for towers in ["image", "text"] if parameters >= ONE_TOWER else ["both"]:
        out = subprocess.run([binary, folder / "model.json", weights, "--seconds", "0", "--towers", towers,
                              "--io", folder / "io.safetensors"], check=True, capture_output=True, text=True)
        found.update(re.findall(r"max abs difference: (\w+) (\S+)", out.stdout))
    return [float(found["image"]), float(found["text"])], [
        float(io[key].abs().max()) for key in ("image_features", "text_features")]


def keep(name, args, different):
    """Merges one measurement into the stored ones."""
    stored = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    parts = {"text": different[1]} if args.text_only else {"image": different[0], "text": different[1]}
    stored.setdefault(name, {})["f64" if args.double else args.dtype] = {key: float(f"{value:.1e}") for key, value in parts.items()}
    lines = [f" {json.dumps(key)}: {json.dumps(stored[key])}" for key in sorted(stored)]
    MEASURED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def missing(openclip):
    """The registry's models without a figure, the smallest first."""
    measured = json.loads(MEASURED.read_text())
    sizes = {name: models_table.ask(openclip, "models", "info", name)["parameters"]
             for name in models_table.names() if name not in measured}
    return sorted(sizes, key=sizes.get)


def measure(name, args):
    """Whether one model is within the tolerance."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        different, largest = compare(open_clip.get_model_config(name), args, pathlib.Path(folder))
    ok = max(different) <= args.tolerance
    print(f"{name}: max abs difference images {different[0]:.1e} texts {different[1]:.1e}, largest "
          f"features {largest[0]:.2f} {largest[1]:.2f} {'ok' if ok else 'FAILED'}", flush=True)
    if ok and (args.save or args.missing):
        keep(name, args, different)
        models_table.write(args.openclip)
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--images", nargs="+", type=pathlib.Path,
                        default=[ROOT / "samples/cat.png", ROOT / "samples/fish.png"])
    parser.add_argument("--binary", default=ROOT / "build/tower_bench")
    parser.add_argument("--openclip", default=ROOT / "build/openclip", help="for --save and --missing")
    parser.add_argument("--tolerance", type=float, default=3e-5)
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--text-only", action="store_true")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--budget", type=float, default=math.inf, help="begin no model after these seconds")
    args = parser.parse_args()
    begin, failed = time.monotonic(), False
    for name in missing(args.openclip) if args.missing else args.models:
        if time.monotonic() - begin < args.budget:
            failed |= not measure(name, args)
    sys.exit(failed)


if __name__ == "__main__":
    main()
