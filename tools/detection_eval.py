#!/usr/bin/env python3
"""Detection and explanation on scenes whose boxes are known: drawings that no model was trained on, pasted
on drawn backgrounds.

    tools/detection_eval.py [--openclip build/openclip] [--scenes N] [--set develop|report] [--openmoji WORKDIR]
                            [--lists samples,openmoji] [--keep DIR] [--only NAME,NAME] [--explain METHOD,METHOD]
                            [-- OPTIONS OF openclip]

Needs Debian's python3-pil and python3-cairosvg. Lists of drawings:
  samples    the project's own (samples/svg), 15 labels
  openmoji   OpenMoji (CC-BY-SA-4.0), from Debian's openshot-qt with the names of CLDR: 80 labels;
             WORKDIR is where `tools/default_model/fetch.sh` unpacked openshot-qt, unicode-data and
             unicode-cldr-core
AP50: all detections of all scenes ranked by score; one is right where its label is asked there and its
box overlaps a box of that label, not found before, by half (intersection over union); the area under the
precision that is reached at each recall (COCO's 101 points). `mean` takes it for each label alone first.
The pointing game (--explain): how often the hottest place of `explain` lies in a box of the text's label, over
all labels of all scenes; `chance` is the part of the pictures that the boxes cover.
`develop` scenes are for choosing settings, `report` scenes for figures; their drawings are the same, the
places, sizes and backgrounds are not.
"""
import argparse
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import cairosvg
from PIL import Image, ImageDraw, ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIDE = 160  # pixels of a drawing before it is pasted


# Drawings: (label, RGBA picture cut to its content).

def cut(data):
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())


def samples():
    for path in sorted((ROOT / "samples/svg").glob("*.svg")):
        yield path.stem.replace("_", " "), cut(cairosvg.svg2png(url=str(path), output_width=SIDE, output_height=SIDE))


def openmoji(workdir):
    os.environ["WORKDIR"] = workdir
    sys.path.insert(0, str(ROOT / "tools/default_model"))
    import emoji
    from common import package, table
    folder = pathlib.Path(package("openshot-qt", "usr/lib/python3/dist-packages/openshot_qt/emojis/color/svg"))
    known, untrained = [], {row[0] for row in table("heldout.tsv")}
    for path in sorted(folder.glob("*.svg")):
        concept = emoji.concept_of([int(part, 16) for part in path.stem.split("-")])
        row = emoji.table().get(concept)
        if row and concept not in untrained and row["group"] in ("Animals & Nature", "Food & Drink", "Objects", "Travel & Places"):
            name = row["en"][0]
            if len(name.split()) <= 2 and name != "sun":
                known.append((name, path))
    random.Random("openmoji").shuffle(known)
    for name, path in sorted(known[:80]):
        yield name, cut(cairosvg.svg2png(url=str(path), output_width=SIDE, output_height=SIDE))


# Scenes.

def color(rng, low=90, high=255):
    return tuple(rng.randint(low, high) for _ in range(3))


def gradient(rng, size):
    ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(size)
    return Image.composite(Image.new("RGB", size, color(rng)), Image.new("RGB", size, color(rng)), ramp)


def noise(rng, size):
    small = Image.new("RGB", (size[0] // 24, size[1] // 24))
    base = color(rng, 120, 230)
    small.putdata([tuple(max(0, min(255, c + rng.randint(-45, 45))) for c in base)
                   for _ in range(small.width * small.height)])
    return small.resize(size, Image.BICUBIC)


def stripes(rng, size):
    image = Image.new("RGB", size, color(rng))
    draw, other, step = ImageDraw.Draw(image), color(rng), rng.randint(14, 40)
    for x in range(-size[1], size[0], 2 * step):
        draw.polygon([(x, 0), (x + step, 0), (x + step + size[1], size[1]), (x + size[1], size[1])], fill=other)
    return image.filter(ImageFilter.GaussianBlur(1))


def landscape(rng, size):
    image = Image.new("RGB", size, (rng.randint(150, 210), rng.randint(200, 235), 255))
    horizon = size[1] * rng.randint(45, 65) // 100
    ImageDraw.Draw(image).rectangle((0, horizon, *size), fill=(rng.randint(90, 190), rng.randint(150, 200), 90))
    return image.filter(ImageFilter.GaussianBlur(2))


def plain(rng, size):
    return Image.new("RGB", size, color(rng))


BACKGROUNDS = (plain, gradient, noise, stripes, landscape)


def apart(box, others):
    return all(box[2] <= o[0] or o[2] <= box[0] or box[3] <= o[1] or o[3] <= box[1] for o in others)


def scene(rng, drawings):
    """A picture and its things [(label, box)], one to three of them, apart from each other."""
    size = rng.choice(((320, 320), (384, 256), (256, 384), (480, 360)))
    image = rng.choice(BACKGROUNDS)(rng, size)
    things = []
    for label, drawing in rng.sample(drawings, rng.randint(1, 3)):
        for _ in range(30):
            side = min(size) * rng.uniform(0.28, 0.6)
            scale = side / max(drawing.size)
            width, height = (max(8, round(n * scale)) for n in drawing.size)
            left, top = rng.randint(0, size[0] - width), rng.randint(0, size[1] - height)
            box = (left, top, left + width, top + height)
            if apart(box, [b for _, b in things]):
                piece = drawing.resize((width, height), Image.LANCZOS)
                image.paste(piece, (left, top), piece)
                things.append((label, box))
                break
    return image, things


# Measures.

def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def average_precision(found, truth, least=0.5):
    """found: [(score, scene, label, box)], truth: {(scene, label): [box]}."""
    total = sum(map(len, truth.values()))
    used, right, precisions = set(), 0, []
    for rank, (_, number, label, box) in enumerate(sorted(found, key=lambda f: -f[0]), 1):
        best = max(((overlap(box, other), i) for i, other in enumerate(truth.get((number, label), []))
                    if (number, label, i) not in used), default=(0, 0))
        if best[0] >= least:
            used.add((number, label, best[1]))
            right += 1
            precisions.append((right / total, right / rank))
    return sum(max((p for r, p in precisions if r >= point / 100), default=0) for point in range(101)) / 101


def measure(found, truth):
    labels = {label for _, label in truth}
    each = [average_precision([f for f in found if f[2] == label],
                              {key: boxes for key, boxes in truth.items() if key[1] == label}) for label in labels]
    return {"AP50": average_precision(found, truth), "mean": sum(each) / len(each),
            "AP30": average_precision(found, truth, 0.3),
            "recall": recall(found, truth)}


def recall(found, truth):
    hits = sum(any(n == number and l == label and overlap(box, other) >= 0.5 for _, n, l, box in found)
               for (number, label), boxes in truth.items() for other in boxes)
    return hits / sum(map(len, truth.values()))


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command[:6]))} … failed")
    return json.loads(done.stdout)


def detect(openclip, paths, labels, options):
    answers = run([openclip, "detect", *paths, "--labels-file", labels, "--json", "--threshold", "0.02", *options])
    return [(d["score"], number, d["label"], d["box"])
            for number, answer in enumerate(answers) for d in answer["detections"]]


def pointing(openclip, paths, truth, options):
    hits, covered = 0, 0
    for (number, label), boxes in truth.items():
        x, y = run([openclip, "explain", paths[number], "--text", label, "--json", *options])["hottest"]
        hits += any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in boxes)
        width, height = Image.open(paths[number]).size
        covered += sum((box[2] - box[0]) * (box[3] - box[1]) for box in boxes) / (width * height)
    return {"pointing": hits / len(truth), "chance": covered / len(truth)}


METHODS = {
    "windows": ["--method", "windows"],
    "dense, pooled": ["--method", "dense", "--dense-reading", "pooled"],
    "dense, values": ["--method", "dense", "--dense-reading", "values"],
    "dense, clearclip": ["--method", "dense", "--dense-reading", "clearclip"],
    "dense, naclip": ["--method", "dense", "--dense-reading", "naclip"],
    "dense, sclip": ["--method", "dense", "--dense-reading", "sclip"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--openclip", default=str(ROOT / "build/openclip"))
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--set", choices=("develop", "report"), default="report")
    parser.add_argument("--openmoji", metavar="WORKDIR")
    parser.add_argument("--keep", help="folder for the scenes")
    parser.add_argument("--only", default="windows,dense; pooled,dense; values", help="methods, ';' for ','")
    parser.add_argument("--lists", default="samples,openmoji")
    parser.add_argument("--explain", default="", help="methods for the pointing game")
    parser.add_argument("options", nargs="*", help="more options of openclip detect")
    args = parser.parse_args()
    lists = {"samples": list(samples())}
    if args.openmoji:
        lists["openmoji"] = list(openmoji(args.openmoji))
    with tempfile.TemporaryDirectory() as temporary:
        for name in (name for name in args.lists.split(",") if name in lists):
            drawings = lists[name]
            folder = pathlib.Path(args.keep or temporary) / name
            folder.mkdir(parents=True, exist_ok=True)
            labels = folder / "labels.txt"
            labels.write_text("\n".join(label for label, _ in drawings) + "\n")
            paths, truth = [], {}
            for number in range(args.scenes):
                image, things = scene(random.Random(f"{args.set} {name} {number}"), drawings)
                paths.append(str(folder / f"{number:03}.png"))
                image.save(paths[-1])
                for label, box in things:
                    truth.setdefault((number, label), []).append(box)
            def report(method, figures):
                print(f"{name:9} {args.scenes} scenes, {len(drawings)} labels  {method:18}",
                      *(f"{key} {100 * value:5.1f}" for key, value in figures.items()), flush=True)

            for method in filter(None, args.only.split(",")):
                method = method.replace(";", ",")
                report(method, measure(detect(args.openclip, paths, labels, METHODS[method] + args.options), truth))
            for method in filter(None, args.explain.split(",")):
                report(f"explain, {method}", pointing(args.openclip, paths, truth, ["--method", method, *args.options]))


if __name__ == "__main__":
    main()
