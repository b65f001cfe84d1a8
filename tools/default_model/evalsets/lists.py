"""Evaluation lists: WORKDIR/eval/NAME/ holds pictures on white, list.jsonl and labels.json.

A row has `file`, `label` (index into labels.json) and perhaps `coarse` (index into coarse.json). A label has its English
and Chinese name and, for emoji, the sets of the merged and the subgroup metric.
"""

import functools
import json
import os

from PIL import Image

import emoji
from common import crop, normal_name, on_white, table, work
from kinds import WORDS as KINDS
from names import lexicon

@functools.lru_cache(None)
def classes():
    """concept -> class, of everything that was trained."""
    with open(work("classes.json"), encoding="utf-8") as f:
        return {c["concept"]: c for c in json.load(f)}


@functools.lru_cache(None)
def by_name():
    out = {}
    for concept, c in classes().items():
        for name in c["en"]:
            out.setdefault(normal_name(name), concept)
    return out


def trained(name):
    """The trained concept of that name, or None."""
    name = normal_name(name)
    concept = lexicon().get(name)
    return concept if concept in classes() else by_name().get(name)


@functools.lru_cache(None)
def merged_sets():
    return {row[0]: row[1] for row in table("merged.tsv")}


def emoji_label(concept):
    e = emoji.table()[concept]
    return {"concept": concept, "en": e["en"][0], "zh": (e["zh"] or [""])[0], "merged": merged_sets().get(concept, concept), "subgroup": e["subgroup"], "group": e["group"]}


def class_label(concept):
    if concept in emoji.table():
        return emoji_label(concept)
    c = classes()[concept]
    return {"concept": concept, "en": c["en"][0], "zh": (c["zh"] or [""])[0], "merged": concept, "subgroup": c["subgroup"], "group": c["group"]}


def square(image, margin=0.06):
    """Cut to content and centred on a square with a small margin, on white."""
    image = crop(image, 0) or image
    side = round(max(image.size) * (1 + 2 * margin))
    out = Image.new("RGBA", (side, side))
    out.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return on_white(out)


class EvalList:
    """Collects pictures; labels are given beforehand or are those that occur."""

    def __init__(self, name, labels=None):
        self.name, self.folder = name, work("eval", name)
        os.makedirs(self.folder, exist_ok=True)
        for old in os.listdir(self.folder):
            os.remove(os.path.join(self.folder, old))
        self.rows, self.labels = [], list(labels or [])
        self.index = {label["concept"]: i for i, label in enumerate(self.labels)}
        self.fixed, self.coarse = labels is not None, False

    def add(self, image, label, kind, coarse=None, origin=""):
        """`label` is None where only the coarse kind is tested; returns False where it is no candidate."""
        number = None
        if label is not None:
            number = self.index.get(label["concept"])
            if number is None:
                if self.fixed:
                    return False
                number = self.index[label["concept"]] = len(self.labels)
                self.labels.append(label)
        file = f"{len(self.rows):05d}.png"
        image = image.convert("RGB")
        image.thumbnail((256, 256), Image.LANCZOS)
        image.save(os.path.join(self.folder, file))
        row = {"file": file, "label": number, "kind": kind, "origin": origin}
        if coarse in KINDS:
            row["coarse"] = list(KINDS).index(coarse)
            self.coarse = True
        self.rows.append(row)
        return True

    def close(self):
        def dump(name, content):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
                f.write(content)

        dump("list.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows))
        dump("labels.json", json.dumps(self.labels, ensure_ascii=False, indent=0))
        if self.coarse:
            dump("coarse.json", json.dumps([{"concept": en, "en": en, "zh": zh} for en, zh in KINDS.items()], ensure_ascii=False))
        fine = sum(row["label"] is not None for row in self.rows)
        print(f"eval/{self.name}: {len(self.rows)} pictures, {fine} with one of {len(self.labels)} names")
