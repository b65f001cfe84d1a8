#!/usr/bin/env python3
"""Prints the peak memory of `embed` for a picture, for a text and for both: random weights in safetensors, f32.

    tools/memory_by_tower.py [--model ViT-L-14]
    needs: pip install open_clip_torch==3.3.0 safetensors; build/openclip

The table of docs/checkpoints.md. Fails if either tower alone takes more than its own weights and a fifth:
the other one must not be in memory then.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import open_clip

import parity_towers

ROOT = pathlib.Path(__file__).resolve().parents[1]
PICTURE = ["samples/cat.png"]
TEXT = ["--text", "a photo of a cat"]


# Linux counts what a process was before exec; so a small one starts the program.
WATCH = """import os, subprocess, sys
_, status, usage = os.wait4(subprocess.Popen(sys.argv[1:]).pid, 0)
print(usage.ru_maxrss)
sys.exit(status != 0)"""


def peak_mib(binary, folder, arguments):
    """Highest resident memory of one run, mapped pages included."""
    command = [sys.executable, "-c", WATCH, binary, "embed", "--model", f"local-dir:{folder}",
               "--quiet", "--out", folder / "out.npy", *arguments]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="ViT-L-14")
    parser.add_argument("--binary", default=ROOT / "build/openclip", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        config = open_clip.get_model_config(args.model)
        model = parity_towers.build(config, folder, folder / "open_clip_model.safetensors")
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
        whole = sum(p.numel() for p in model.parameters()) * 4 / 2**20
        picture = sum(p.numel() for p in model.visual.parameters()) * 4 / 2**20
        del model
        failed = False
        for title, weights, arguments in (("picture only", picture, PICTURE),
                                          ("text only", whole - picture, TEXT),
                                          ("both", whole, PICTURE + TEXT)):
            peak = peak_mib(args.binary, folder, arguments)
            ok = title == "both" or peak <= 1.2 * weights
            failed |= not ok
            print(f"{args.model} {title}: peak {peak:.0f} MiB, weights {weights:.0f} MiB of {whole:.0f} MiB "
                  f"{'ok' if ok else 'FAILED'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
