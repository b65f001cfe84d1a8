"""Writes heldout.tsv, merged.tsv and noflip.tsv by stated rules. They are committed: a model is only comparable with
another that was trained and measured under the same tables, so change them on purpose, never as a side effect."""

import hashlib
import os
import re

import emoji
from common import HERE, normal_name

TURNED = {"arrow", "av-symbol", "math", "punctuation", "currency", "other-symbol", "keycap", "alphanum", "zodiac",
          "country-flag", "subdivision-flag", "gender", "religion", "warning", "transport-sign", "flag"}  # fmt: skip
TURNED_WORDS = r"\b(left|right|leftwards|rightwards|o'clock|thirty|clock|moon|calendar|button|input|mark|spiral|musical|abacus|chart)\b"


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def heldout(share=10):
    """One in `share` of the emoji groups, by digest within a subgroup.

    Not flags, letters, digits or signs; not a name that is part of another group's name, since removing the phrase from
    all captions would then take the other group's name away too.
    """
    table = emoji.table()
    groups = {}
    for concept in table:
        groups.setdefault(emoji.group_of(concept), []).append(concept)
    names = {g: [f" {normal_name(n)} " for c in cs for n in table[c]["en"]] for g, cs in groups.items()}
    by_subgroup = {}
    for group, concepts in groups.items():
        e = table[concepts[0]]
        inside = any(n in o for n in names[group] for other in names if other != group for o in names[other])
        if e["group"] not in ("Flags", "Symbols", "Component") and not inside and e["zh"] and len(concepts) <= 9:
            by_subgroup.setdefault(e["subgroup"], []).append(group)
    for subgroup, members in by_subgroup.items():
        members.sort(key=lambda g: digest("heldout", g))
        for group in members[: (len(members) + share // 2) // share]:
            for concept in groups[group]:
                yield concept, group, table[concept]["en"][0]


def merge_key(concept):
    """The name of the set that a concept shares with others that differ in a mark, number, colour or expression only."""
    e = emoji.table()[concept]
    name, subgroup = e["en"][0], e["subgroup"]
    if re.search(r"o'clock|-thirty", name):
        return "clock faces"
    if "moon" in name and subgroup == "sky & weather":
        return "moons"
    if subgroup == "heart" and "heart" in name:
        return "hearts"
    if subgroup.startswith("face-") or subgroup == "cat-face":
        return subgroup
    if "mailbox" in name:
        return "mailboxes"
    if re.fullmatch(r"(closed|open|green|blue|orange) book", name):
        return "books"
    if subgroup == "geometric":
        return "geometric " + re.sub(r".*(circle|square|diamond|triangle|button).*", r"\1", name)
    if subgroup == "arrow" and "arrow" in name:
        return "arrows"
    if e["group"] == "Animals & Nature" and name.endswith(" face"):
        return name[:-5]
    if subgroup == "family" or "200d" in concept or e["group"] == "People & Body":
        return emoji.group_of(concept)
    return name


def merged():
    sets = {}
    for concept in emoji.table():
        sets.setdefault(merge_key(concept), []).append(concept)
    for key, concepts in sets.items():
        if len(concepts) > 1:
            for concept in concepts:
                yield concept, key, emoji.table()[concept]["en"][0]


def noflip():
    for concept, e in emoji.table().items():
        if e["subgroup"] in TURNED or e["group"] == "Flags" or re.search(TURNED_WORDS, e["en"][0]):
            yield concept, e["subgroup"], e["en"][0]


def write(name, head, lines):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write(f"# {head}\n")
        for line in lines:
            f.write("\t".join(line) + "\n")


if __name__ == "__main__":
    write("heldout.tsv", "concept, group, name: removed from every source and every caption", heldout())
    write("merged.tsv", "concept, set, name: counted as one answer by the merged metric", merged())
    write("noflip.tsv", "concept, reason, name: the mirror image is another thing or no thing", noflip())
