#!/usr/bin/env python3
"""A set of picture-text pairs with planted faults, and how many of them `openclip curate` finds.

    planted.py generate OUT [--pairs 100000]     OUT/shards/*.tar and OUT/planted.jsonl, what was planted where
    planted.py score OUT CURATED                 precision and recall of each rule, as a table

Pictures are the default model's drawings (tools/default_model/build.sh; WORKDIR says where), each shown at a random angle,
size and place on a random pale ground, 96 x 96 JPEG, captioned by one of its names. Planted: pictures that are there already,
saved again at another size and quality; captions of another drawing; and `punsafe` above 0.5. Needs Pillow for generate.
"""

import argparse
import collections
import io
import json
import os
import random
import sys
import tarfile

SIDE = 96
SHARES = {"duplicate": 0.08, "mismatch": 0.08, "unsafe": 0.04}  # of the pairs; the others are as they should be
FAR_BACK = 20000  # a copy's original is one of so many pairs before it


def drawings(work):
    with open(os.path.join(work, "manifest.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [row for row in rows if row["en"] and row["named"]["en"]]


def show(drawing, work, rng):
    from PIL import Image

    picture = Image.open(os.path.join(work, drawing["path"])).convert("RGBA")
    picture = picture.rotate(rng.uniform(-25, 25), Image.BICUBIC, expand=True)
    scale = rng.uniform(0.6, 0.95) * SIDE / max(picture.size)
    picture = picture.resize([max(1, round(scale * s)) for s in picture.size], Image.BICUBIC)
    ground = Image.new("RGB", (SIDE, SIDE), tuple(rng.randint(190, 255) for _ in range(3)))
    ground.paste(picture, [rng.randint(0, SIDE - s) for s in picture.size], picture)
    return ground


def jpeg(picture, quality):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def saved_again(data, rng):
    """The same picture as another site would offer it."""
    from PIL import Image

    side = rng.choice([s for s in range(80, 129, 4) if s != SIDE])
    return jpeg(Image.open(io.BytesIO(data)).resize((side, side), Image.BICUBIC), rng.randint(60, 85))


def another(drawing, all_drawings, rng):
    """A drawing of something else, none of whose names is one of this one's."""
    while True:
        other = rng.choice(all_drawings)
        if other["group"] != drawing["group"] and not set(other["en"]) & set(drawing["en"]):
            return other


def pairs(count, work, rng):
    """(kind, picture's bytes, caption, punsafe, number of the original) of each pair, in order."""
    stock = drawings(work)
    recent = collections.deque(maxlen=FAR_BACK)  # numbers and pairs that may be copied
    kinds = rng.choices([*SHARES, "clean"], [*SHARES.values(), 1 - sum(SHARES.values())], k=count)
    for number, kind in enumerate(kinds):
        punsafe = rng.uniform(0.6, 1) if kind == "unsafe" else rng.uniform(0, 0.4)
        if kind == "duplicate" and recent:
            original, data, caption = rng.choice(recent)
            yield kind, saved_again(data, rng), caption, punsafe, original
            continue
        drawing = rng.choice(stock)
        named = another(drawing, stock, rng) if kind == "mismatch" else drawing
        data = jpeg(show(drawing, work, rng), 92)
        caption = rng.choice(named["en"][: named["named"]["en"]])
        if kind in ("clean", "duplicate"):
            kind = "clean"
            recent.append((number, data, caption))
        yield kind, data, caption, punsafe, None


def generate(out, count, seed, work, shard_size):
    os.makedirs(os.path.join(out, "shards"), exist_ok=True)
    tar = None
    with open(os.path.join(out, "planted.jsonl"), "w", encoding="utf-8") as planted:
        for number, (kind, data, caption, punsafe, original) in enumerate(pairs(count, work, random.Random(seed))):
            if number % shard_size == 0:
                if tar:
                    tar.close()
                tar = tarfile.open(os.path.join(out, "shards", f"{number // shard_size:05}.tar"), "w")
            key = f"{number:09}"
            meta = json.dumps({"caption": caption, "punsafe": round(punsafe, 4)}).encode()
            for extension, part in (("jpg", data), ("txt", caption.encode()), ("json", meta)):
                info = tarfile.TarInfo(f"{key}.{extension}")
                info.size = len(part)
                tar.addfile(info, io.BytesIO(part))
            row = {"key": key, "kind": kind}
            if original is not None:
                row["original"] = f"{original:09}"
            planted.write(json.dumps(row) + "\n")
    tar.close()


def rows_of(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def rules_of(rules):
    """What each rule says of a row of the columns by itself, whichever rule came first in the run."""
    return {
        "mismatch": lambda row: row["similarity"] < rules["min_similarity"],
        "duplicate": lambda row: row.get("near_duplicate", -1) >= rules["duplicate"],
        "unsafe": lambda row: row["punsafe"] > float(rules["max_unsafe"]),
    }


def score(kinds, columns, rules):
    """For each rule (kind, planted, found, of which right). `kinds` is what was planted, by key."""
    planted = collections.Counter(kinds.values())
    for kind, says in rules_of(rules).items():
        found = [row for row in columns if "similarity" in row and says(row)]
        yield kind, planted[kind], len(found), sum(kinds[row["key"]] == kind for row in found)


def percent(part, whole):
    return f"{100 * part / max(1, whole):.1f}"


def print_score(out, curated):
    with open(os.path.join(curated, "rules.json"), encoding="utf-8") as f:
        rules = json.load(f)
    folder = os.path.join(curated, "columns")
    columns = [row for name in sorted(os.listdir(folder)) for row in rows_of(os.path.join(folder, name))]
    kinds = {row["key"]: row["kind"] for row in rows_of(os.path.join(out, "planted.jsonl"))}
    if len(columns) != len(kinds):
        sys.exit(f"planted: {len(kinds)} pairs were planted, {curated} has columns of {len(columns)}")
    print("| planted | pairs | found | precision % | recall % |\n| --- | --- | --- | --- | --- |")
    for kind, planted, found, right in score(kinds, columns, rules):
        print(f"| {kind} | {planted} | {found} | {percent(right, found)} | {percent(right, planted)} |")
    for what, rows in (("planted", [r for r in columns if kinds[r["key"]] != "clean"]), ("clean", [r for r in columns if kinds[r["key"]] == "clean"])):
        print(f"{what}: {percent(sum(not row['kept'] for row in rows), len(rows))} % of {len(rows)} left out")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    make = verbs.add_parser("generate")
    make.add_argument("out")
    make.add_argument("--pairs", type=int, default=100_000)
    make.add_argument("--shard-size", type=int, default=10_000)
    make.add_argument("--seed", type=int, default=0)
    judge = verbs.add_parser("score")
    judge.add_argument("out")
    judge.add_argument("curated")
    a = parser.parse_args()
    if a.verb == "generate":
        generate(a.out, a.pairs, a.seed, os.environ.get("WORKDIR", "build/default_model"), a.shard_size)
    else:
        print_score(a.out, a.curated)


if __name__ == "__main__":
    main()
