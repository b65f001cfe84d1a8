"""Joins the rows of all sources into manifest.jsonl, classes.json and NOTICE.

A class is an emoji concept or, for other things, a normalised English name. Held-out groups leave with every picture
and every caption that names them. Pictures that look like a held-out evaluation picture leave as well.
"""

import argparse
import hashlib
import json
import os
import textwrap

from PIL import Image

import emoji
from captions import Captions
from common import rows, table, work
from dhash import copies, dhash, near, small

SOURCES = ("noto", "emojione", "twemoji", "symbola", "openclipart", "sweethome3d", "sweethome3d_views", "tango", "flags")
NOTICE = """The default model was trained on pictures by the artists below, taken from Debian 12 packages.
They were cut, scaled and, for the vector drawings, redrawn in other styles; none is contained in the model's files.
CC-BY-4.0: https://creativecommons.org/licenses/by/4.0/    CC-BY-3.0: https://creativecommons.org/licenses/by/3.0/
CC0: https://creativecommons.org/publicdomain/zero/1.0/    OFL-1.1: https://openfontlicense.org/
Names and keywords: Unicode emoji-test.txt and CLDR, under the Unicode licence. Nouns were checked against WordNet 3.0.
"""


def present(sources):
    return [s for s in sources if os.path.exists(work("rows", s + ".jsonl"))]


def evaluation_pictures():
    """(list name, row, hash, small picture) of every held-out picture from elsewhere."""
    folder = work("eval")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        listed = os.path.join(folder, name, "list.jsonl")
        if name.startswith(("trained", "generated", "removed")) or not os.path.exists(listed):
            continue
        for line in open(listed, encoding="utf-8"):
            row = json.loads(line)
            with Image.open(os.path.join(folder, name, row["file"])) as image:
                yield name, row, dhash(image), small(image)


def leaks(kept):
    """Ids of training pictures that copy an evaluation picture, and a report.

    Emoji fonts draw the same emoji alike and flags are alike by nature, which is what those lists test: their copies
    are reported but stay.
    """
    report, dropped = [], set()
    evaluation = list(evaluation_pictures())
    if not evaluation:
        return report, dropped
    hashes = [entry[2] for entry in evaluation]
    for row in kept:
        if row["variant"] != "plain":
            continue
        with Image.open(work(row["path"])) as image:
            own = small(image)
            close = near(dhash(image), hashes)
        for i in close:
            name, other, _, picture = evaluation[i]
            if copies(own, picture):
                drop = row["kind"] not in ("emoji", "flag") and other["kind"] != "flag"
                report.append({"train": row["id"], "eval": f"{name}/{other['file']}", "dropped": drop})
                if drop:
                    dropped.add(row["id"])
    return report, dropped


def class_order(kept):
    """Emoji in the order of emoji-test.txt, then other names by alphabet."""
    seen = {row["concept"] for row in kept}
    return [c for c in emoji.table() if c in seen] + sorted(seen - set(emoji.table()))


def write_classes(kept, captions, out):
    classes, ids = [], {}
    for concept in class_order(kept):
        e = emoji.table().get(concept)
        first = next(row for row in kept if row["concept"] == concept)
        ids[concept] = len(classes)
        names = captions.names(e or first)
        classes.append({
            "id": len(classes), "concept": concept, **names,
            "group": e["group"] if e else first.get("category", first["kind"]),
            "subgroup": e["subgroup"] if e else first.get("category", first["kind"]),
            "kind": "emoji" if e else first["kind"],
        })  # fmt: skip
    with open(os.path.join(out, "classes.json"), "w", encoding="utf-8") as f:
        json.dump(classes, f, ensure_ascii=False, indent=0)
    return ids


def write_notice(kept, out):
    credit = {}
    for row in kept:
        credit.setdefault((row["source"].removesuffix("_views"), row["licence"]), set()).add(row["artist"])
    with open(os.path.join(out, "NOTICE"), "w", encoding="utf-8") as f:
        f.write(NOTICE)
        for (source, licence), artists in sorted(credit.items()):
            f.write(f"\n{source}: {licence}\n")
            f.write(textwrap.fill(", ".join(sorted(artists)), 100, initial_indent="  ", subsequent_indent="  ") + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leave-out", default=None, metavar="SOURCE", help="build without this artist, to choose settings on it")
    parser.add_argument("--out", default=work(), help="folder for manifest.jsonl, classes.json, leaks.json and NOTICE")
    arguments = parser.parse_args()
    out = arguments.out
    os.makedirs(out, exist_ok=True)
    removed = {row[0] for row in table("heldout.tsv")}
    captions = Captions(removed)
    kept, withheld = [], []
    for source in present(SOURCES):
        for row in rows(source):
            away = row["concept"] in removed or captions.names_removed(row)
            (withheld if away else kept).append(row)
    report, dropped = leaks(kept)
    kept = [row for row in kept if row["id"].removesuffix("." + row["variant"]) not in dropped and row["source"] != arguments.leave_out]
    ids = write_classes(kept, captions, out)
    noflip = {row[0] for row in table("noflip.tsv")}
    with open(os.path.join(out, "manifest.jsonl"), "w", encoding="utf-8") as f:
        for row in kept:
            row["class"] = ids[row["concept"]]
            row["flip"] = row["concept"] not in noflip and row.get("flip", True)
            row.update(captions.of(row))
            row["sha256"] = hashlib.sha256(open(work(row["path"]), "rb").read()).hexdigest()
            f.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    with open(os.path.join(out, "leaks.json"), "w", encoding="utf-8") as f:
        json.dump(report, f, indent=0)
    write_notice(kept, out)
    print(f"kept {len(kept)} pictures of {len(ids)} classes; withheld {len(withheld)}; leaks dropped {len(dropped)}")


if __name__ == "__main__":
    main()
