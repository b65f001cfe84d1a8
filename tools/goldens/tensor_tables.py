#!/usr/bin/env python3
"""Writes tests/golden/tensor_tables.json: which tensors open_clip's models have.

    tools/goldens/tensor_tables.py    needs: pip install open_clip_torch==3.3.0 timm==1.0.31 transformers

For each model of the registry: the number of its trainable numbers, and FNV-1a (64 bits) over the
sorted lines "name [2, 768]\\n" of its state_dict. Models are made without memory (device `meta`).
"""
import json
import pathlib

import open_clip
import timm
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def main():
    models = json.loads((ROOT / "src/models/config/registry.json").read_text())["models"]
    rows = []
    for name in sorted(models):
        if "hf_model_name" in models[name]["config"]["text_cfg"]:
            continue  # their sizes are in a config on the hub; tools/goldens/hf_text.py has goldens
        with torch.device("meta"):
            model = open_clip.create_model(name, load_weights=False, device="meta")
        lines = sorted(f"{key} {list(value.shape)}\n" for key, value in model.state_dict().items())
        row = {"parameters": sum(value.numel() for value in model.parameters()
                                 if value.requires_grad),
               "fnv1a": fnv1a("".join(lines).encode())}
        rows.append(f" {json.dumps(name)}: {json.dumps(row)}")
    versions = {"open_clip": open_clip.__version__, "timm": timm.__version__}
    path = ROOT / "tests/golden/tensor_tables.json"
    path.write_text(f'{{"versions": {json.dumps(versions)}, "models": {{\n' + ",\n".join(rows) + "}}\n")
    print(path, len(rows), "models")


if __name__ == "__main__":
    main()
