"""openclipart: the ready PNG pictures, named from the RDF metadata in the SVG package and from file names."""

import hashlib
import html
import os
import re
import sys

import names
from common import Writer, normal_name, open_picture, package, table

PNG = package("openclipart-png", "usr/share/openclipart/png")
SVG = package("openclipart-svg", "usr/share/openclipart/svg")

# Folders that hold no things: generated stars, user-interface icons, gradients, playing cards, map and road signs, ...
SKIP = (
    "shapes/stars", "shapes/callouts", "shapes/flowchart", "shapes/jigsaw", "computer/icons", "computer/buttons",
    "computer/diagrams", "special", "recreation/games/cards", "logos", "buttons", "people/clothing/pantyhose",
    "signs_and_symbols/led", "signs_and_symbols/map_symbols", "signs_and_symbols/flags", "decorations",
    "transportation/roadsigns", "unsorted/duplicates", "geography/maps",
)  # fmt: skip


def metadata(path):
    """Title, subjects and author from an SVG file; found by pattern because many files are not well-formed."""
    try:
        text = open(path, encoding="utf-8", errors="replace").read(60_000)
    except OSError:
        return "", [], ""
    start, end = text.find("<metadata"), text.find("</metadata>")
    if start < 0:
        return "", [], ""
    text = text[start : end if end > 0 else len(text)]
    title = re.search(r"<dc:title>([^<]*)</dc:title>", text)
    subjects = re.findall(r"<rdf:li>([^<]*)</rdf:li>", text)
    author = re.search(r"<dc:creator>.*?<dc:title>([^<]*)</dc:title>", text, re.S)
    name = html.unescape(html.unescape(author[1])) if author else ""
    name = re.sub(r"[(<]?\S*@\S*[)>]?", "", name).strip()  # no mail addresses in NOTICE
    return (title[1] if title else ""), [s.strip().lower() for s in subjects], name


def stem_name(stem, author):
    """The words of a file name, without numbers, marks of variants and the author's name."""
    stem = re.sub(r"([a-z])([A-Z])", r"\1_\2", stem).lower()
    parts = re.split(r"[_\-. ]+", stem)
    authors = set(re.split(r"\W+", author.lower()))
    drop = {"bw", "01", "svg", "clipart", "clip", "art", "architetto", "francesco", "rollandi", "hash"}
    return " ".join(p for p in parts if p and p not in drop and p not in authors and not re.fullmatch(r"[\d.x]+|0x.*", p))


def title_name(title):
    title = re.sub(r"(?i)clip ?art by .*? - ", "", title)
    title = re.sub(r"(?i)\b(clip ?art|icon|svg|vector)\b|\(.*?\)|[#№]?\b\d+\b|[._]+", " ", title)
    return normal_name(title)


def walk():
    for folder, folders, files in os.walk(PNG):
        folders.sort()
        place = os.path.relpath(folder, PNG)
        if any(place == s or place.startswith(s + "/") for s in SKIP):
            continue
        for file in sorted(files):
            if file.endswith(".png"):
                yield place, file[:-4]


def main():
    dropped = {row[1] for row in table("drop.tsv") if row[0] == "openclipart"}
    seen, huge = set(), 0
    with Writer("openclipart", "openclipart contributors", "public domain") as out:
        for place, stem in walk():
            title, subjects, author = metadata(os.path.join(SVG, place, stem + ".svg"))
            entry = names.clip_art(title_name(title), stem_name(stem, author), subjects, place)
            if entry is None or f"{place}/{stem}" in dropped or entry["names"]["en"][0] in dropped:
                continue
            path = os.path.join(PNG, place, stem + ".png")
            digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            image = open_picture(path)
            if image is None:
                huge += 1
                continue
            out.add(f"{place}/{stem}".replace("/", "."), image, **entry, artist=author or "openclipart")
    print(f"openclipart: {huge} pictures too large or unreadable", file=sys.stderr)


if __name__ == "__main__":
    main()
