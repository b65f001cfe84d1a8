"""Draws pictures whose captions are true by construction: coloured shapes, counted things, places, letters and digits.

Teaches colour, number and position, which names alone do not. One combination in ten is held out (by digest) and drawn
for evaluation only. Writes shards, where shapes and characters are concepts of their own numbered after the pictures' classes and the
rest has concept -1, and folders eval/generated_*/.
"""

import argparse
import hashlib
import io
import json
import os

from PIL import Image

import emoji
from common import on_white, package, seeded, work
from glyphs import fonts, letter
from phrases import COLOURS, NUMBERS, PLACES, SHAPES, plural
from shapes import SIZE, draw_shape
from shards import write

THINGS = ("animal-mammal", "animal-bird", "animal-reptile", "animal-marine", "animal-bug", "plant-flower", "food-fruit", "food-vegetable",
          "food-prepared", "food-sweet", "transport-ground", "transport-air", "tool", "clothing", "sport", "musical-instrument", "book-paper")  # fmt: skip


def held_out(*parts):
    return hashlib.sha256("\0".join(map(str, ("generated",) + parts)).encode()).digest()[0] < 26

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def shape_choices():
    """(English, Chinese) of every colour and shape."""
    return [(f"{'an' if c == 'orange' else 'a'} {c} {s}", f"{COLOURS[c][0]}的{SHAPES[s]}") for c in COLOURS for s in SHAPES]


def shape(random, wanted):
    colour, name = random.choice(list(COLOURS)), random.choice(list(SHAPES))
    zh_colour, rgb = COLOURS[colour]
    if held_out(colour, name) != wanted:
        return None
    image = draw_shape(random, name, rgb)
    choices = shape_choices()
    en, zh = choices[list(COLOURS).index(colour) * len(SHAPES) + list(SHAPES).index(name)]
    return image, {
        "en": [en, f"{colour} {name}"], "zh": [zh, f"一个{zh}"], "flip": name != "arrow", "recolour": False, "choices": choices,
    }  # fmt: skip


def countable(name):
    """One word in the singular."""
    return " " not in name and (not name.endswith("s") or name in ("bus", "octopus", "cactus", "dress", "hibiscus", "walrus", "lotus"))


class Things:
    """Plain and outlined emoji pictures with short names."""

    def __init__(self):
        self.by_name = {}
        for line in open(work("manifest.jsonl"), encoding="utf-8"):
            row = json.loads(line)
            e = emoji.table().get(row["concept"])
            simple = e and e["subgroup"] in THINGS and countable(e["en"][0]) and e["zh"] and row["kind"] == "emoji"
            if simple and row["variant"] in ("plain", "outline1", "line1", "filled1"):
                entry = self.by_name.setdefault(e["en"][0], {"zh": e["zh"][0], "animal": "animal" in e["subgroup"], "paths": []})
                entry["paths"].append(work(row["path"]))
        self.names = sorted(self.by_name)

    def picture(self, random, name):
        return Image.open(random.choice(self.by_name[name]["paths"]))


def count(things, random, wanted):
    n, name = random.randint(1, 5), random.choice(things.names)
    if held_out("count", n, name) != wanted:
        return None
    thing = things.by_name[name]
    picture = things.picture(random, name)
    image = Image.new("RGBA", (SIZE, SIZE))
    columns = {1: 1, 2: 2, 3: random.choice([2, 3]), 4: random.choice([2, 4]), 5: 3}[n]
    rows = -(-n // columns)
    cell = SIZE // max(columns, rows)
    small = picture.copy()
    small.thumbnail((cell * random.uniform(0.75, 0.98),) * 2, Image.LANCZOS)
    top, left = (SIZE - rows * cell) // 2, (SIZE - columns * cell) // 2
    cells = [(c, r) for r in range(rows) for c in range(columns)]
    if n < len(cells) and random.random() < 0.5:
        random.shuffle(cells)
    for c, r in cells[:n]:
        room = (cell - small.width, cell - small.height)
        at = (left + c * cell + random.randint(0, max(0, room[0])), top + r * cell + random.randint(0, max(0, room[1])))
        image.alpha_composite(small, at)
    measure = "只" if thing["animal"] else "个"
    choices = [(f"{en} {name if k == 1 else plural(name)}", f"{zh}{measure}{thing['zh']}") for k, (en, zh) in NUMBERS.items()]
    en, zh = choices[n - 1]
    return image, {"en": [en, f"{n} {en.split(' ', 1)[1]}"], "zh": [zh], "flip": True, "recolour": True, "choices": choices}


def place(things, random, wanted):
    first, second = random.sample(things.names, 2)
    where = random.choice(list(PLACES))
    if held_out(first, second) != wanted:
        return None
    a, b = things.picture(random, first), things.picture(random, second)
    half = int(SIZE * 0.5)
    for picture in (a, b):
        picture.thumbnail((half, half), Image.LANCZOS)
    image = Image.new("RGBA", (SIZE, SIZE))
    across = where in ("left", "right")
    for picture, early in ((a, where in ("left", "above")), (b, where not in ("left", "above"))):
        along = (0 if early else half) + (half - (picture.width if across else picture.height)) // 2
        other = random.randint(0, SIZE - (picture.height if across else picture.width)) if random.random() < 0.5 else (SIZE - half) // 2
        image.alpha_composite(picture, (along, other) if across else (other, along))
    one, two = things.by_name[first]["zh"], things.by_name[second]["zh"]
    article = "an" if first[0] in "aeiou" else "a"
    choices = [(f"{article} {first} {en} {second}", f"{one}在{two}{zh}") for en, zh in PLACES.values()]
    en, zh = choices[list(PLACES).index(where)]
    return image, {"en": [en, en.split(" ", 1)[1]], "zh": [zh], "flip": not across, "recolour": True, "choices": choices}


def character_names(text):
    if text.isdigit():
        return [f"digit {text}", f"number {text}"], [f"数字{text}"]
    case, zh_case = ("uppercase", "大写") if text.isupper() else ("lowercase", "小写")
    return [f"letter {text}", f"{case} letter {text}"], [f"字母{text}", f"{zh_case}字母{text}"]


def character(faces, random, wanted):
    text = random.choice(CHARACTERS)
    if wanted:
        return None
    image = letter(random, random.choice(faces), text)
    en, zh = character_names(text)
    return image, {"en": en, "zh": zh, "flip": False, "recolour": True, "choices": []}


def own_concepts():
    """{first English caption: concept} of the generated kinds with few answers: each colour and shape, each character."""
    with open(work("classes.json"), encoding="utf-8") as f:
        first = 1 + max(row["id"] for row in json.load(f))
    answers = [en for en, _ in shape_choices()] + [character_names(text)[0][0] for text in CHARACTERS]
    return {en: first + i for i, en in enumerate(answers)}


def draw(kinds, wanted, seed):
    """(kind, picture, metadata) in a fixed random order; `wanted` asks for the held-out combinations."""
    random = seeded("generate", seed)
    concepts = own_concepts()
    jobs = [kind for kind, (_, n) in sorted(kinds.items()) for _ in range(n)]
    random.shuffle(jobs)
    for number, kind in enumerate(jobs):
        made = None
        while made is None:
            made = kinds[kind][0](random, wanted)
        image, meta = made
        meta.update(kind=kind, concept=concepts.get(meta["en"][0], -1), source="generated", variant="plain", id=f"generated/{seed}.{number:06d}")
        meta["named"] = {"en": len(meta["en"]), "zh": len(meta["zh"])}
        yield kind, image, meta


def samples(kinds):
    for _, image, meta in draw(kinds, False, "training"):
        del meta["choices"]
        yield png(image), meta


def png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def write_evaluation(kinds):
    files = {}
    for kind, image, meta in draw(kinds, True, "evaluation"):
        folder = work("eval", "generated_" + kind)
        if kind not in files:
            os.makedirs(folder, exist_ok=True)
            files[kind] = [open(os.path.join(folder, "list.jsonl"), "w", encoding="utf-8"), 0]
        name = f"{files[kind][1]:05d}.png"
        files[kind][1] += 1
        on_white(image).save(os.path.join(folder, name))
        row = {"file": name, "kind": "generated", "label": [en for en, _ in meta["choices"]].index(meta["en"][0])}
        row.update(en=[en for en, _ in meta["choices"]], zh=[zh for _, zh in meta["choices"]])
        files[kind][0].write(json.dumps(row, ensure_ascii=False) + "\n")
    for kind, (file, count_) in files.items():
        file.close()
        print(f"eval/generated_{kind}: {count_}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="how many training pictures, relative to about 9,000")
    parser.add_argument("--out", default=work("shards", "train"))
    parser.add_argument("--evaluation-only", action="store_true")
    arguments = parser.parse_args()
    things = Things()
    faces = fonts(package("fonts-dejavu-core"), package("fonts-liberation"), package("fonts-freefont-ttf"), package("fonts-comic-neue"))
    makers = {
        "shape": (shape, 2500), "count": (lambda r, w: count(things, r, w), 3000),
        "place": (lambda r, w: place(things, r, w), 2000), "character": (lambda r, w: character(faces, r, w), 1500),
    }  # fmt: skip
    training = {k: (maker, int(n * arguments.scale)) for k, (maker, n) in makers.items()}
    if not arguments.evaluation_only:
        print("generated", write(samples(training), arguments.out, "generated"))
    write_evaluation({k: (maker, 300) for k, (maker, _) in makers.items() if k != "character"})


if __name__ == "__main__":
    main()
