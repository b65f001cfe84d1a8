#!/usr/bin/env python3
"""How near the features of bf16 and int8 are to those of f32, on pictures and texts of yours.

    tools/parity_precision.py [--binary B] [--labels FILE] [--precision P]... PICTURES... [-- MODEL OPTIONS]

PICTURES: files, folders or tars, as `openclip embed` takes them. MODEL OPTIONS follow `--`, as
`--model ViT-B-32 --pretrained FILE`; without them the shipped model. Needs numpy. For each precision:
the least and mean cosine with f32 of pictures and of texts, the same with the mean feature taken away
(features of random weights all point the same way, which flatters a plain cosine), and for how many
pictures the best label is the same. The texts are the labels (default: the shipped model's English ones).
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def cosines(x, y):
    return (x * y).sum(1) / np.maximum(np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1), 1e-30)


def embed(args, model, precision, folder):
    out = pathlib.Path(folder) / "f.npy"
    command = [args.binary, "embed", *args.pictures, "--text-file", args.labels, "--out", str(out),
               "--precision", precision, "--quiet", *model]
    if subprocess.run(command).returncode not in (0, 1) or not out.exists():  # 1: pictures skipped
        sys.exit(f"parity_precision: {' '.join(command)} failed")
    rows = np.load(out)
    texts = sum(1 for line in pathlib.Path(args.labels).read_text().splitlines() if line.strip())
    return rows[:len(rows) - texts], rows[len(rows) - texts:]


def main():
    own, _, model = " ".join(sys.argv[1:]).partition(" -- ")
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--binary", default=str(ROOT / "build/openclip"))
    parser.add_argument("--labels", default=str(ROOT / "models/default/labels.en.txt"))
    parser.add_argument("--precision", action="append")
    args = parser.parse_args(own.split())
    with tempfile.TemporaryDirectory() as folder:
        want = embed(args, model.split(), "f32", folder)
        for precision in args.precision or ["bf16", "int8"]:
            got = embed(args, model.split(), precision, folder)
            parts = []
            for what, x, y in zip(("pictures", "texts"), want, got):
                mean = x.mean(0)
                plain, centred = cosines(x, y), cosines(x - mean, y - mean)
                parts.append(f"{what} ({len(x)}) least {plain.min():.5f} mean {plain.mean():.5f}, "
                             f"centred {centred.min():.4f} {centred.mean():.4f}")
            best = (want[0] @ want[1].T).argmax(1)
            same, kept = ((best == (got[0] @ texts.T).argmax(1)).mean() for texts in (got[1], want[1]))
            print(f"{precision}: {'; '.join(parts)}; same best label {100 * same:.2f} %, with texts "
                  f"of f32 (as kept by classify) {100 * kept:.2f} %")


if __name__ == "__main__":
    main()
