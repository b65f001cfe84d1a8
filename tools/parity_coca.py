#!/usr/bin/env python3
"""Compares a CoCa's captions with Python's open_clip, token for token: random weights of full size.

    tools/parity_coca.py --images FILE... [--model coca_ViT-B-32] [--cases greedy]
    needs: pip install open_clip_torch==3.3.0 transformers==4.56.2 (4.57 has no BeamSearchScorer) pillow

The weights of the decoder's output are scaled so that words differ from place to place. Prints for beam
search and the greedy caption whether the tokens are equal, and the time of each program for all pictures
(this program's with its start). Fails if any token differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import open_clip
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
CASES = {"beam search": ({}, []), "greedy": (dict(generation_type="top_k", top_k=1), ["--top-k", "1"]),
         "beam search with penalty": (dict(repetition_penalty=1.5, min_seq_len=10),
                                      ["--repetition-penalty", "1.5", "--min-length", "10"])}


def save(folder, name):
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if key == "text_decoder.text_projection":
                value.copy_(torch.randn_like(value) * 0.2)
            elif value.ndim == 1:
                value.add_(0.05 * torch.randn_like(value))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": open_clip.get_model_config(name)}))
    return model.eval(), preprocess


def stripped(ids):
    while ids[-1] == 0:
        ids.pop()
    return ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="coca_ViT-B-32")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--binary", default=ROOT / "build/openclip", type=pathlib.Path)
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        model, preprocess = save(pathlib.Path(folder), args.model)
        pixels = torch.stack([preprocess(Image.open(path).convert("RGB")) for path in args.images])
        for title in args.cases:
            python, options = CASES[title]
            begin = time.perf_counter()
            with torch.inference_mode():
                want = [stripped(model.generate(picture[None], **python)[0].tolist())
                        for picture in pixels]
            middle = time.perf_counter()
            run = subprocess.run([str(x) for x in (args.binary, "caption", *args.images, "--model", folder,
                                                   "--json", "--quiet", *options)], check=True,
                                 capture_output=True, text=True)
            end = time.perf_counter()
            got = [row["ids"] for row in json.loads(run.stdout)]
            equal = sum(x == y for x, y in zip(got, want, strict=True))
            failed |= equal < len(want)
            print(f"{title}: {equal} of {len(want)} captions equal, {len(set(map(tuple, want)))} different "
                  f"ones; Python {middle - begin:.1f} s, openclip {end - middle:.1f} s", flush=True)
            if equal < len(want):
                print(*[f"  {x}\n  {y}" for x, y in zip(got, want) if x != y], sep="\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
