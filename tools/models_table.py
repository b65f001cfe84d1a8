#!/usr/bin/env python3
"""Writes docs/models.md: all models that are known by name, and what was measured against Python.

    tools/models_table.py [--binary build/openclip]

Names, sizes, tags and preprocessing are those of `openclip models list|info`; the differences come from
docs/models_measured.json, where tools/parity_towers.py --save keeps them.
"""
import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """# Models

Every configuration that `--model NAME` knows, written by `tools/models_table.py` (do not edit). *Size* is pixels x tokens; *tags* are
what `--pretrained` takes (*quick*: trained with QuickGELU, which is used); *prepare* is each tag's mean and standard deviation (OpenAI's,
0.5, ImageNet's or none), interpolation and resize mode.

*Difference* is the largest of any feature (not normalised) from Python's open_clip 3.3.0 on the same random weights, pixels and token ids,
pictures / texts, measured on whole models by `tools/parity_towers.py --missing`, which goes on where it ended; the limit is 3e-5. bf16: the checkpoint
holds bf16, both compute in f32. Where nothing stands, the whole model was not measured yet. Besides, the tests compare every model's
tensor names and shapes with open_clip's, and a small model of each family with all its options with goldens (`tests/golden/towers`).
f64: from Python's features in f64 (`--double`). So RN50x64, whose pictures pass 64 blocks of three convolutions at 448 pixels: it is
4.8e-5 from Python's f32, which is itself 4.6e-5 from its f64, with features up to 2.4.
A text tower's figure alone was measured beside a small image tower, as the whole does not fit the memory.

| model | image tower | text tower | parameters | size | tags | prepare | difference |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
TAIL = """
## Not here
Of the 144 models of open_clip 3.3.0 these are not known by name:

"""
MEANS = {0.481: "OpenAI", 0.5: "0.5", 0.485: "ImageNet", 0.0: "none"}


def ask(binary, *arguments):
    return json.loads(subprocess.run([binary, *arguments, "--json"], check=True, capture_output=True, text=True).stdout)


def prepare(preprocess):
    mean = MEANS.get(round(preprocess["mean"][0], 3), str(preprocess["mean"]))
    return f"{mean} {preprocess['interpolation']} {preprocess['resize_mode']}"


def number(value):
    return f"{value:.0e}".replace("e-0", "e-")


def difference(measured):
    parts = []
    for dtype, row in measured.items():
        values = " / ".join(number(row[key]) if key in row else "-" for key in ("image", "text"))
        parts.append(values if dtype == "f32" else f"{dtype} {values}")
    return "; ".join(parts)


def row(name, info, measured):
    vision, text = info["vision"], info["text"]
    tags = ", ".join(f"`{tag['tag']}`" + (" *quick*" if tag["quick_gelu"] else "") for tag in info["tags"])
    ways = ", ".join(dict.fromkeys(prepare(tag["preprocess"]) for tag in info["tags"]))
    cells = [f"`{name}`", vision["kind"], text["kind"], f"{info['parameters'] / 1e6:.1f} M",
             f"{vision['image_size']} x {info['context_length']}", tags, ways, difference(measured)]
    return "| " + " | ".join(cells) + " |\n"


def names():
    models = json.loads((ROOT / "src/models/config/registry.json").read_text())["models"]
    return sorted(models, key=str.lower)


def write(binary):
    measured = json.loads((ROOT / "docs/models_measured.json").read_text())
    listed = json.loads((ROOT / "tests/golden/open_clip_models.json").read_text())["models"]
    lacking = {}
    for name, facts in listed.items():
        if "left_out" in facts:
            lacking.setdefault(facts["left_out"], []).append(f"`{name}`")
    left_out = "".join(f"- {why}: {', '.join(models)}\n" for why, models in lacking.items())
    rows = [row(name, ask(binary, "models", "info", name), measured.get(name, {})) for name in names()]
    (ROOT / "docs/models.md").write_text(HEAD + "".join(rows) + TAIL + left_out)
    return f"{len(rows)} models, {sum(name in measured for name in names())} measured"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=ROOT / "build/openclip")
    print(write(parser.parse_args().binary))


if __name__ == "__main__":
    main()
