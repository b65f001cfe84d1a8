"""Paths, pictures and rows that every extractor shares."""

import hashlib
import json
import os
import random
import re

from PIL import Image

SIDE = 96  # longest side of a stored picture
MAX_PIXELS = 4_000_000  # larger sources are skipped: a few clip-art files exceed 160 Mpixel

HERE = os.path.dirname(os.path.abspath(__file__))
Image.MAX_IMAGE_PIXELS = None  # sizes are checked before decoding, by open_picture


def work(*parts):
    base = os.environ.get("WORKDIR", "build/default_model")
    return os.path.join(os.path.abspath(base), *parts)


def package(name, *parts):
    """A path inside an unpacked Debian package."""
    return work("root", name, *parts)


def table(name):
    """Rows of a committed .tsv beside this file, without comments."""
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]


def seeded(*parts):
    """A random generator that depends on its arguments alone."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def open_picture(path):
    """The picture as RGBA, or None where it is unreadable or too large."""
    try:
        image = Image.open(path)
        if image.width * image.height > MAX_PIXELS or min(image.size) < 8:
            return None
        return image.convert("RGBA")
    except (OSError, SyntaxError, ValueError):
        return None


def crop(image, margin=0.03):
    """Cuts the transparent border away, leaving a small margin; None where nothing is drawn."""
    box = image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox()
    if box is None:
        return None
    pad = round(margin * max(box[2] - box[0], box[3] - box[1]))
    return image.crop((box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad))


def shrink(image, side=SIDE):
    """Scales so that the longest side is `side`, in premultiplied colour so that edges stay clean."""
    scale = side / max(image.size)
    size = tuple(max(1, round(n * scale)) for n in image.size)
    return image.convert("RGBa").resize(size, Image.LANCZOS).convert("RGBA")


def on_white(image):
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def normal_name(text):
    """A name in the form that is compared between sources."""
    text = text.lower().replace("_", " ").replace("-", " ").replace("’", "'")
    return re.sub(r"\s+", " ", re.sub(r"[^\w' ]", " ", text)).strip()


class Writer:
    """Writes pictures and rows of one source; with `resume`, goes on where a broken run stopped."""

    def __init__(self, source, artist, licence, resume=False):
        self.common = {"source": source, "artist": artist, "licence": licence}
        self.folder = work("pictures", source)
        os.makedirs(self.folder, exist_ok=True)
        os.makedirs(work("rows"), exist_ok=True)
        path = work("rows", source + ".jsonl")
        self.done = set()
        kept = []
        if resume and os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                kept = [line for line in f if line.endswith("}\n")]
            self.done = {json.loads(line)["id"].split("/", 1)[1] for line in kept}
        self.file = open(path, "w", encoding="utf-8")
        self.file.writelines(kept)
        self.file.flush()
        self.count = len(kept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        print(f"{self.common['source']}: {self.count} pictures")

    def add(self, key, image, **fields):
        """Stores one picture; returns False where it shows nothing."""
        image = crop(image)
        if image is None or min(image.size) < 4:
            return False
        name = re.sub(r"[^\w.-]", "_", key) + ".png"
        path = os.path.join(self.folder, name)
        shrink(image).save(path)
        row = {"id": f"{self.common['source']}/{key}", "path": os.path.relpath(path, work()), **self.common, **fields}
        row.setdefault("variant", "plain")
        self.file.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        self.count += 1
        return True


def rows(source):
    with open(work("rows", source + ".jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]
