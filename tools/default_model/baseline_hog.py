"""What no learning reaches: nearest plain training picture by HOG, by small pixels and by colour histogram.

A trained model should be compared with these lines on the same lists and metrics.
"""

import argparse
import json

import numpy as np
from PIL import Image

from common import work
from dhash import framed
from evaluate import ranks, read_list, report, summary

LISTS = ("openmoji", "art4apps", "tuxpaint", "gcompris", "kgeography")


def hog(image, side=64, cell=8, bins=9):
    """Histograms of unsigned gradient directions over cells, normalised over blocks of 2 x 2 cells."""
    grey = np.asarray(framed(image, side).convert("L"), np.float32) / 255
    dy, dx = np.gradient(grey)
    size = np.hypot(dx, dy)
    angle = (np.arctan2(dy, dx) % np.pi) / np.pi * bins
    low = np.floor(angle).astype(int)
    share = angle - low
    n = side // cell
    cells = np.zeros((n, n, bins), np.float32)
    y, x = np.mgrid[0:side, 0:side] // cell
    np.add.at(cells, (y, x, low % bins), size * (1 - share))
    np.add.at(cells, (y, x, (low + 1) % bins), size * share)
    blocks = np.concatenate([cells[:-1, :-1], cells[1:, :-1], cells[:-1, 1:], cells[1:, 1:]], 2)
    blocks /= np.linalg.norm(blocks, axis=2, keepdims=True) + 0.1
    return blocks.ravel()


def pixels(image):
    grey = np.asarray(framed(image, 16).convert("L"), np.float32).ravel()
    return grey - grey.mean()


def colours(image):
    values = np.asarray(framed(image, 48), int).reshape(-1, 3) // 64
    values = values[(values.min(1) < 3)]  # without white
    counts = np.bincount(values @ np.array([16, 4, 1]), minlength=64).astype(np.float32)
    return np.sqrt(counts / max(1.0, counts.sum()))


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--variants", action="store_true", help="compare with the restyled pictures as well")
    arguments = parser.parse_args()
    train = [json.loads(line) for line in open(work("manifest.jsonl"), encoding="utf-8")]
    train = [row for row in train if arguments.variants or row["variant"] == "plain"]
    concepts = np.array([row["concept"] for row in train])
    results = []
    for method in (hog, pixels, colours):
        known = unit(np.stack([method(Image.open(work(row["path"]))) for row in train]))
        for name in LISTS:
            task = read_list(name)
            use = [i for i, row in enumerate(task["rows"]) if row["label"] is not None]
            features = unit(np.stack([method(Image.open(task["images"][i])) for i in use]))
            near = features @ known.T
            labels = task["labels"]
            scores = np.full((len(use), len(labels)), -2.0, np.float32)  # a label never trained stays last
            for j, label in enumerate(labels):
                mine = np.flatnonzero(concepts == label["concept"])
                if len(mine):
                    scores[:, j] = near[:, mine].max(1)
            for metric in ("concept", "merged", "subgroup") if name == "openmoji" else ("concept",):
                keys = np.array([label[metric] for label in labels])
                right = keys[None] == keys[[task["rows"][i]["label"] for i in use]][:, None]
                shown = {"concept": "strict"}.get(metric, metric)
                results.append(summary(f"{name}: {method.__name__}", shown, "-", ranks(scores, right), len(labels), float(right.mean())))
    report(results, arguments.json)


if __name__ == "__main__":
    main()
