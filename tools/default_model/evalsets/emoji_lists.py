"""Lists over emoji: an unseen artist (OpenMoji), removed concepts, and trained pictures as a check of the fit."""

import io
import os

import cairosvg
from PIL import Image

import emoji
from common import package, rows, seeded, table, work
from evalsets.lists import EvalList, classes, emoji_label, square

OPENMOJI = "usr/lib/python3/dist-packages/openshot_qt/emojis/color/svg"


def openmoji():
    """(concept, picture) of OpenMoji's drawings."""
    folder = package("openshot-qt", OPENMOJI)
    for file in sorted(os.listdir(folder)):
        concept = emoji.concept_of([int(p, 16) for p in file[:-4].split("-")])
        if concept in emoji.table():
            data = cairosvg.svg2png(url=os.path.join(folder, file), output_width=216, output_height=216)
            yield concept, Image.open(io.BytesIO(data)).convert("RGBA")


def main():
    removed = [row[0] for row in table("heldout.tsv")]
    known = [emoji_label(c) for c in emoji.table() if c in classes()]
    t1 = EvalList("openmoji", known)
    # Removed concepts are asked twice: among themselves, and among all names.
    t3 = EvalList("removed", [emoji_label(c) for c in removed])
    t3_all = EvalList("removed_among_all", [emoji_label(c) for c in emoji.table() if c in classes() or c in removed])
    for concept, image in openmoji():
        picture = square(image)
        t1.add(picture, emoji_label(concept), "emoji", origin="openmoji")
        t3.add(picture.copy(), emoji_label(concept), "emoji", origin="openmoji")
        if concept in removed:
            t3_all.add(picture.copy(), emoji_label(concept), "emoji", origin="openmoji")
    for row in rows("noto"):
        if row["concept"] in removed:
            picture = square(Image.open(work(row["path"])))
            t3.add(picture, emoji_label(row["concept"]), "emoji", origin="noto")
            t3_all.add(picture.copy(), emoji_label(row["concept"]), "emoji", origin="noto")
    for each in (t1, t3, t3_all):
        each.close()
    for source in ("noto", "twemoji"):
        fit = EvalList("trained_" + source, known)
        plain = [row for row in rows(source) if row["variant"] == "plain" and row["concept"] in classes()]
        for row in seeded("trained", source).sample(plain, min(500, len(plain))):
            fit.add(square(Image.open(work(row["path"]))), emoji_label(row["concept"]), "emoji", origin=row["id"])
        fit.close()


if __name__ == "__main__":
    main()
