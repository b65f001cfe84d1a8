"""The table of emoji: concept -> names and keywords in English and Chinese, group, subgroup.

A concept is a code point sequence without FE0F and without skin tone, written like `1f468-200d-1f33e`.
English names come from emoji-test.txt, Chinese names and all keywords from CLDR.
"""

import functools
import re
import xml.etree.ElementTree as ET

from common import package

DROPPED = {0xFE0F, 0x1F3FB, 0x1F3FC, 0x1F3FD, 0x1F3FE, 0x1F3FF}
PERSON = {0x1F468, 0x1F469, 0x1F9D1}
MARKS = {0x200D, 0x2640, 0x2642, 0x1F9B0, 0x1F9B1, 0x1F9B2, 0x1F9B3}


def concept_of(points):
    """The concept of a code point sequence; skin-tone squares themselves are None."""
    kept = [p for p in points if p not in DROPPED]
    return "-".join(f"{p:x}" for p in kept) or None


def points_of(concept):
    return [int(part, 16) for part in concept.split("-")]


def group_of(concept):
    """The concept without gender and hair, so that a man, a woman and a person singing are one group."""
    points = points_of(concept)
    if points[0] in PERSON and len(points) > 2 and points[1] == 0x200D and points[2] not in PERSON | {0x2764, 0x1F91D}:
        points[0] = 0x1F9D1
    kept = [p for p in points if p not in MARKS]
    return "-".join(f"{p:x}" for p in kept)


def has_skin_tone(points):
    return any(0x1F3FB <= p <= 0x1F3FF for p in points)


def tidy_en(name):
    name = name.replace("“", "").replace("”", "").replace("’", "'").replace("⊛ ", "")
    if name.startswith("flag: "):
        return "flag of " + name[6:]
    if name.startswith("keycap: "):
        return "keycap " + name[8:]
    person, colon, detail = name.partition(": ")
    if not colon:
        return name
    if detail == "bald":
        return "bald " + person
    return f"{person} with {detail}" if "hair" in detail or detail == "beard" else f"{person}, {detail}"


def tidy_zh(name):
    name = name.replace("“", "").replace("”", "")
    if name.startswith("旗: "):
        return name[3:] + "旗"
    head, colon, detail = name.partition(": ")
    if not colon:
        return name
    return head + detail if head == "按键" else detail + head


def english_aliases(name):
    """Other ways to say an emoji's name that need no dictionary."""
    out = []
    if name.startswith("flag of "):
        out = [name[8:] + " flag", name[8:]]
    elif name.startswith("keycap "):
        out = ["number " + name[7:]] if name[7:].isdigit() else [name[7:]]
    elif name.endswith(" button") and not name.startswith("Japanese"):
        out = [name[:-7]]
    elif name.endswith(" face") and name.count(" ") == 1:
        out = [name[:-5]]
    return [a for a in out if len(a) > 1]


def chinese_aliases(name):
    return [name[:-1] + "国旗", name[:-1]] if name.endswith("旗") and len(name) > 3 else []


@functools.lru_cache(None)
def annotations(language):
    """concept -> {"name": str, "keywords": [str]} from CLDR."""
    out = {}
    for folder in ("annotations", "annotationsDerived"):
        path = package("unicode-cldr-core", "usr/share/unicode/cldr/common", folder, language + ".xml")
        for node in ET.parse(path).getroot().iter("annotation"):
            points = [ord(c) for c in node.get("cp")]
            if has_skin_tone(points) and len(points) > 1:
                continue
            entry = out.setdefault(concept_of(points) or "-", {"name": "", "keywords": []})
            if node.get("type") == "tts":
                entry["name"] = node.text.strip()
            else:
                entry["keywords"] = [k.strip() for k in node.text.split("|") if k.strip()]
    return out


@functools.lru_cache(None)
def table():
    """concept -> {en, zh, keywords{en,zh}, group, subgroup}, in the order of emoji-test.txt."""
    out = {}
    group = subgroup = ""
    path = package("unicode-data", "usr/share/unicode/emoji/emoji-test.txt")
    english, chinese = annotations("en"), annotations("zh")
    with open(path, encoding="utf-8") as f:
        lines = f.readlines()
    for line in lines:
        if line.startswith("# group: "):
            group = line[9:].strip()
        elif line.startswith("# subgroup: "):
            subgroup = line[12:].strip()
        match = re.match(r"([0-9A-F ]+?) +; fully-qualified +# \S+ E\S+ (.+)", line)
        if not match:
            continue
        points = [int(p, 16) for p in match[1].split()]
        if has_skin_tone(points):
            continue
        concept = concept_of(points)
        en = tidy_en(match[2].strip())
        zh = tidy_zh(chinese.get(concept, {}).get("name", ""))
        out[concept] = {
            "en": [en] + english_aliases(en),
            "zh": ([zh] + chinese_aliases(zh)) if zh else [],
            "keywords": {
                "en": [k for k in english.get(concept, {}).get("keywords", []) if k.lower() != en.lower()],
                "zh": [k for k in chinese.get(concept, {}).get("keywords", []) if k != zh],
            },
            "group": group,
            "subgroup": subgroup,
        }
    return out


COLOURS = set("red orange yellow green blue purple brown black white pink grey light dark medium".split())


def may_recolour(concept):
    """Whether a picture stays true to its name in other colours; not so for flags, hearts and red apples."""
    e = table()[concept]
    if e["group"] == "Flags" or e["subgroup"] in ("geometric", "sky & weather", "heart") and "moon" not in e["en"][0]:
        return False
    return not COLOURS & set(re.split(r"\W+", e["en"][0].lower()))


def fields(concept):
    """The row fields of a picture of this emoji."""
    e = table()[concept]
    return {
        "concept": concept,
        "group": group_of(concept),
        "kind": "emoji",
        "recolour": may_recolour(concept),
        "names": {"en": e["en"], "zh": e["zh"]},
        "keywords": e["keywords"],
    }
