#!/usr/bin/env python3
"""Compares the built tokenizer with Python's on random texts.

    python3 tools/parity_text.py BUILD/text_parity [--count 20000] [--seed 1] [--hf FOLDER]

Needs open_clip_torch 3.3.0 (with ftfy 6.3.1); --hf compares a tokenizer.json with HFTokenizer too.
Texts are mixtures of words, entities, mojibake of many encodings and layers, and odd characters.
Prints each difference and fails if there is any.
"""
import argparse
import json
import os
import random
import subprocess
import sys

ENCODINGS = ["latin-1", "windows-1252", "windows-1251", "windows-1250", "windows-1253",
             "windows-1254", "windows-1257", "iso-8859-2", "macroman", "cp437"]
WORDS = ("a photo of the café naïve Ærøskøbing “quoted” it's don't I'LL we've Łódź Škoda Ωμέγα ΣΊΣΥΦΟΣ "
         "ὈΔΥΣΣΕΎΣ Привет мир İstanbul ıssız straße STRASSE ﬁne ﬂuﬃest ﬆ 日本語 猫の写真 中文 한국어 สวัสดี "
         "العربية עברית हिन्दी ½ ² ٣٤ Ⅷ ① €5 £3 ¥ § © ® ™ … – — ‘single’ „low“ «guillemets» × ÷ ± µ "
         "emoji😀 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 e\u0301 A\u030a ﬃ Ｆｕｌｌ ｶﾀｶﾅ ￡ ǆ Ǆ ŉ à la voilà às Ã Â C3 "
         "<start_of_text> <end_of_text> <START_OF_TEXT> <|startoftext|> <b> < > & &&").split()
ENTITIES = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x27;", "&nbsp;", "&eacute;", "&EACUTE;",
            "&amp;amp;", "&amp;eacute;", "&copy", "&notit;", "&not", "&#128;", "&#0;", "&#xD800;",
            "&#x110000;", "&#8217;", "&hellip;", "&Jscr;", "&NotEqualTilde;", "&AMP;AMP;", "&#13;",
            "&szlig;", "&SZLIG;", "&amp", "&ampx", "&;", "&#;", "&#x;", "&thinsp;", "&fflig;",
            "&NAPOS;", "&#1F;", "&ltcc;", "&#12", "&zwj;", "&ATILDE;&SUP3;"]
ODD = [chr(c) for c in (*range(0, 0x30), *range(0x7F, 0x100), 0x130, 0x131, 0x17F, 0x192, 0x2BC,
                        0x300, 0x301, 0x345, 0x3A3, 0x3C2, 0x200B, 0x200D, 0x200E, 0x2028, 0x2029,
                        0x202F, 0x2060, 0x206A, 0x20AC, 0x212A, 0x212B, 0x3000, 0xFE0F, 0xFEFF,
                        0xFF01, 0xFF41, 0xFF9E, 0xFFFC, 0xFFFD, 0x1D165, 0x1F468, 0xE0067,
                        0xF8FF)]
SPACES = [" ", " ", " ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2003", ""]


def mojibake(rng, text):
    encoding = rng.choice(ENCODINGS)
    try:
        raw = text.encode("utf-8")
        if rng.random() < 0.1:
            raw = raw.replace(b"\xa0", b" ")
        errors = rng.choice(["strict", "replace", "ignore"])
        if encoding.startswith("windows") and rng.random() < 0.5:
            encoding = "sloppy-" + encoding
        return raw.decode(encoding, errors)
    except UnicodeError:
        return text


def random_text(rng):
    parts = []
    for _ in range(rng.randint(0, rng.choice([4, 10, 40]))):
        kind = rng.random()
        if kind < 0.45:
            part = rng.choice(WORDS)
        elif kind < 0.6:
            part = rng.choice(ENTITIES)
        elif kind < 0.7:
            part = "".join(rng.choice(ODD) for _ in range(rng.randint(1, 4)))
        elif kind < 0.75:
            part = chr(rng.choice([rng.randint(0x20, 0x3000), rng.randint(0x3000, 0xD7FF),
                                   rng.randint(0x1F000, 0x1FAFF), rng.randint(0xE000, 0x323AF)]))
        elif kind < 0.78:
            part = f"\x1b[{rng.choice(['', '1', '31;44', ';', '٣'])}{rng.choice('mKx 1')}"
        else:
            part = rng.choice(WORDS)
            for _ in range(rng.randint(1, 3)):
                part = mojibake(rng, part)
        if rng.random() < 0.1:
            part = rng.choice([part.upper(), part.lower(), part.title(), part * 3])
        parts += [part, rng.choice(SPACES)]
    text = "".join(parts)
    if rng.random() < 0.15:
        text = mojibake(rng, text)
    return "".join(c for c in text if not 0xD800 <= ord(c) <= 0xDFFF)


def run_ours(program, arguments, texts):
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run([program, *arguments], input=lines, capture_output=True, text=True,
                          check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def report(name, texts, theirs, ours):
    different = 0
    for text, (clean, ids), our in zip(texts, theirs, ours, strict=True):
        if our["clean"] != clean or our["ids"] != ids:
            different += 1
            if different <= 20:
                print(f"{name}: {ascii(text)}\n  Python {ascii(clean)}\n  ours   "
                      f"{ascii(our['clean'])}\n  ids equal: {our['ids'] == ids}")
    print(f"{name}: {len(texts)} texts, {different} differ")
    return different


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hf", help="folder with a tokenizer.json")
    options = parser.parse_args()
    from open_clip import tokenizer as reference  # registers the sloppy encodings too
    rng = random.Random(options.seed)
    texts = [random_text(rng) for _ in range(options.count)]

    simple = reference.SimpleTokenizer()
    theirs = [(simple.clean_fn(text), simple([text])[0].tolist()) for text in texts]
    ours = run_ours(options.program, ["clip", reference.default_bpe()], texts)
    different = report("SimpleTokenizer", texts, theirs, ours)
    if options.hf:
        hugging = reference.HFTokenizer(options.hf, context_length=24)
        ids = hugging(texts).tolist()
        theirs = [(hugging.clean_fn(text), row) for text, row in zip(texts, ids)]
        ours = run_ours(options.program, ["hf", os.path.join(options.hf, "tokenizer.json")], texts)
        different += report("HFTokenizer", texts, theirs, ours)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
