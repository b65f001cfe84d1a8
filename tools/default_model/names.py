"""Finds the thing that a clip-art title, file name or keyword list names.

A name that is (or ends in) an emoji's name shares that emoji's class; any other name of a thing becomes its own class.
"""

import functools
import re

import emoji
from common import normal_name, package, table

# One-word emoji names that mean something else in ordinary titles, and names too general to be a class.
UNSAFE = set(
    "up down left right back end on soon top free new cool ok sos vs id ng cl a b o ab new multiply plus minus divide gear keyboard om "
    "mate mark label package door window bed chair face key link part person people man woman boy girl child adult men women family "
    "toolbox level cinema office library wireless customs restroom warning prohibited record pause stop play on! soon".split()
) - {"door", "window", "bed", "chair", "key", "person", "man", "woman", "boy", "girl", "child", "keyboard", "package", "gear", "family"}
GENERIC = set(
    "animal animals bird birds fish insect mammal food fruit fruits vegetable vegetables drink beverage dessert desserts plant plants flower "
    "flowers tree people bodypart clothing hat symbol symbols sign signs shape shapes arrow arrows icon icons computer hardware office "
    "education tool tools weapon weapons transport transportation vehicle vehicles airtravel roadtravel sports sport recreation entertainment "
    "music game games toy toys party festive holiday building house home furniture science astronomy geography map maps weather nature unsorted "
    "hash clip art clipart logo work menu carbohydrate protein theme application filesystem work cartoon color colour outline contour silhouette "
    "collection example various set simple small big large little old new black white red green blue yellow brown pink orange grey gray".split()
)
NOT_HEADS = set("one two three four five six seven eight nine ten side view top bottom front back end style design set version part piece line lines theme collection example".split())
BAD_TITLE = re.compile(
    r"icons?$|iconset|\btheme\b|\bpart of\b|collection|various clip|road signs|symbols?$|signs$|advertising|^map |maps?$|^card\b|submission|^head\d*$|illustration$|^images?$|^untitled|^drawing\b|^book 01|^antenna$|^\\w+ theme|rollandin|^creation day|\\brules?\\b|^elder sign|^protection"
)


@functools.lru_cache(None)
def wordnet(kind):
    path = package("wordnet-base", "usr/share/wordnet", "index." + kind)
    return {line.split(" ", 1)[0].replace("_", " ") for line in open(path, encoding="utf-8") if line[0] != " "}


def is_noun(phrase):
    return phrase in wordnet("noun") or singular(phrase) in wordnet("noun")


def is_english(word):
    return any(word in wordnet(k) or singular(word) in wordnet(k) for k in ("noun", "adj", "verb", "adv")) or word in {"with", "and", "of", "the", "a", "in", "on", "for", "from"}


def singular(phrase):
    for ending, other in (("ies", "y"), ("ves", "f"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("oes", "o"), ("ss", "ss"), ("us", "us"), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            return phrase[: -len(ending)] + other
    return phrase


@functools.lru_cache(None)
def lexicon():
    """Normalised name -> emoji concept, for names of things."""
    out = {}
    for concept, e in emoji.table().items():
        if e["group"] in ("Flags", "Component") or e["subgroup"] in ("alphanum", "keycap", "av-symbol", "arrow", "geometric", "math"):
            continue
        name = normal_name(e["en"][0])
        if name not in UNSAFE:
            out.setdefault(name, concept)
    for concept, language, text, *mark in table("aliases.tsv"):
        if language == "en" and concept in emoji.table():
            out[normal_name(text)] = concept
    # The plain word means the animal's or thing's whole picture if there is one, else its face.
    for concept, e in emoji.table().items():
        name = normal_name(e["en"][0])
        if e["group"] == "Animals & Nature" and name.endswith(" face"):
            out.setdefault(name[:-5], concept)
    return out


@functools.lru_cache(None)
def words():
    """Foreign and misspelt words -> English."""
    return {row[0]: row[1] for row in table("words.tsv")}


def english(phrase):
    """The phrase with known foreign words replaced and digits taken off words."""
    phrase = re.sub(r"(?<=[a-z])\d+\b|\b\d+\b", "", phrase)
    phrase = re.sub(r"\s+", " ", phrase).strip()
    known = words()
    if phrase in known:
        return known[phrase]
    return " ".join(known.get(w, w) for w in phrase.split())


STYLE = set("simple outline contour silhouette icon symbol cartoon stylized stylised drawing bw shaded illustration clothing whole plain generic theme black white red green blue yellow grey gray brown purple pink".split())


def find_emoji(phrase):
    """(concept, whether exact) for the longest emoji name at the end of the phrase, before `with` and the like."""
    lex = lexicon()
    for p in (phrase, singular(phrase)):
        if p in lex:
            return lex[p], True
    head = re.split(r" (?:with|in|on|from|of|for|and|by|at|drawn|against|under|over) ", phrase)[0]
    parts = head.split()
    while len(parts) > 1 and parts[-1] in STYLE:
        parts.pop()
    for start in range(len(parts)):
        tail = " ".join(parts[start:])
        for p in (tail, singular(tail)):
            if p in lex and p not in GENERIC:
                return lex[p], False
    return None, False


THINGS = set("tree flower house hat map building toy arrow logo robot".split())  # general, but still a picture of that thing


def own_name(phrase):
    """The phrase as a class of its own: English words, ending in a noun; None where it is no such thing."""
    parts = [w for w in phrase.split() if is_english(w) and (len(w) > 2 or w in ("of", "in", "on"))]
    if len(phrase) > 2 and is_noun(phrase) and (phrase not in GENERIC or phrase in THINGS):
        return phrase
    while parts and (not is_noun(parts[-1]) or parts[-1] in NOT_HEADS or parts[-1] in ("with", "and", "of", "the", "in", "on", "for")):
        parts.pop()
    name = " ".join(parts)
    if not parts or len(name) < 3 or len(parts) > 4 or all(w in GENERIC for w in parts) or len(parts) < len(phrase.split()) / 2:
        return None
    return name


def entry(concept, name, extra, subjects, category, kind="clip art"):
    e = emoji.table().get(concept)
    english_names = ([e["en"][0]] if e else []) + [name] + extra
    unique = list(dict.fromkeys(n for n in english_names if n))
    return {
        "concept": concept,
        "group": emoji.group_of(concept) if e else concept,
        "kind": kind,
        "category": category,
        "recolour": emoji.may_recolour(concept) if e else True,
        "names": {"en": unique, "zh": list(e["zh"][:1]) if e else []},
        "keywords": {"en": [s for s in subjects if s not in unique and not s.startswith("hash") and "architetto" not in s and 2 < len(s) < 24 and s.isascii()], "zh": []},
    }  # fmt: skip


def clip_art(title, stem, subjects, place):
    """The row fields of a clip-art picture, or None where it names no thing."""
    candidates = []
    if any("francesco" in s for s in subjects):  # this artist's name ends most of his file names, cut short
        stem = " ".join(w for w in stem.split() if not any(n.startswith(w) for n in ("architetto", "francesco", "rollandin")))
    for phrase in (stem, title):  # one title often serves a whole series, so the file name comes first
        phrase = english(phrase)
        if phrase and not BAD_TITLE.search(phrase) and phrase not in candidates:
            candidates.append(phrase)
    plain = [english(s) for s in subjects if s and not s.startswith("hash")]
    category = place.split("/")[0]
    for exact in (True, False):
        for phrase in candidates:
            concept, same = find_emoji(phrase)
            if concept and (same or not exact):
                return entry(concept, phrase if len(phrase.split()) < 5 and all(map(is_english, phrase.split())) else "", [], plain, category)
    found = [own_name(phrase) for phrase in candidates]
    found = [name for name in found if name]
    for name in found:
        concept, _ = find_emoji(name)
        if concept:
            return entry(concept, name, [], plain, category)
    if found:
        whole = next((n for n in found if is_noun(n)), found[0])
        return entry(whole, whole, [n for n in found if n != whole], plain, category)
    for word in plain:
        if word in lexicon() and word not in GENERIC:
            return entry(lexicon()[word], "", [], plain, category)
    return None
