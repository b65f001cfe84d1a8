#!/usr/bin/env python3
"""Writes tests/golden/text/: hard texts with what Python makes of them.

    python3 tools/goldens/text.py        (needs open_clip_torch 3.3.0, ftfy 6.3.1, tokenizers)

tiny_vocab.txt   a BPE vocabulary of our own in CLIP's format, trained here on the words below
tiny_tokenizer/  the same merges as a Hugging Face tokenizer.json
texts.json       text, cleaned text, ids with CLIP's vocabulary, ids with the two tiny ones
"""
import collections
import gzip
import html
import json
import pathlib
import random
import sys
import tempfile

import ftfy
import open_clip
import regex
import tokenizers
from open_clip import tokenizer as reference

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from parity_text import ENCODINGS, ENTITIES, WORDS, random_text  # noqa: E402

OUT = pathlib.Path(__file__).parent.parent.parent / "tests/golden/text"
MERGES = 400
PLAIN = """a photo of a cat|a photo of the large dog.|A Blurry PHOTO of two people, sitting!|
the quick brown fox jumps over the lazy dog|it's they're I'll we've I'm he'd don't 'S 'T 'RE|''s ''''ll|
rock 'n' roll|1 12 123 2024-11-23 3.14|hello_world __init__ a_b|C++ & C#; f(x) = [x^2]|e-mail@example.org #tag|
!!!???...|$100 50% 7°C|supercalifragilisticexpialidocious|zzzzzzzzzzzzzzzzzzzz|aaaa bbbb cccc|\ttabs\tand\nlines\r\n|
  leading and trailing  |UPPER lower MiXeD|<start_of_text>|a <start_of_text> b <end_of_text>|
<START_OF_TEXT>|<\u017ftart_of_text>|<|startoftext|> <|endoftext|>|<pad>|<b>bold</b> &amp; <i>|
&lt;b&gt;|x < y &amp; z > w|first &eacute;\nsecond < &eacute;\nthird &eacute;|'\u017f it'\u017f IT'\u017f""".replace(
    "|\n", "\0").replace("<|startoftext|>", "\1").replace("<|endoftext|>", "\2")
SPECIAL = ["", " ", "\n", "\u3000", "\ufeff", "\ufeffcaf\u00e9", "\x00", "a\x00b", "\x1b[31mred\x1b[0m text",
           "\x1b[", "\x1b[12", "\x1b[1;\u0663m x", "\x1b]0;t\x07", "a\u2028b\u2029c\x85d", "a\r\rb\r\n\r\nc",
           "a\x0bb\x0cc\x1cd\x1ee\x1ff", "soft\u00adhyphen", "zero\u200bwidth\u200cjoin\u200der", "\u202eright\u202c",
           "\u206aold\u206f", "\ufff9an\ufffano\ufffbt\ufffc", "word\u2060joiner", "\ufffd", "a\ufffd\ufffdb",
           "e\u0301 E\u0301 \u1e9b\u0323", "\u212b \u2126 \u212a", "\u0344 \u0345 a\u0345b !\u0345!",
           "\u1112\u1161\u11ab", "\ud55c\uad6d\uc5b4", "\u0915\u093c \u0958", "n\u0303\u0327 q\u0307\u0323",
           "\u0130stanbul \u0131 I i", "\u039f\u0394\u039f\u03a3 \u03a3 A\u03a3 \u03a3A A\u03a3' A'\u03a3 A\u0301\u03a3b \u00ad\u03a3 1\u03a3",
           "\u01c5 \u01c4 \u0149 \u0132sselmeer \ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06", "\u1e9e \u00df STRASSE",
           "\uff26\uff55\uff4c\uff4c\u3000\uff37\uff49\uff44\uff54\uff48\uff01", "\uff76\uff9e\uff77\uff9f\uff9e", "\uffe1\uffe5\uffe3\uffe8",
           "\u201ccurly\u201d \u2018quotes\u2019 \u201alow\u201b \u201e\u201f \u02bc \u2032\u2033 \u00ab\u00bb",
           "\u00b2\u00b3\u00b9 \u00bd \u2167 \u2460 \u0663\u0664 \u0969 \u4e8c \u3007 \U0001d7d8 \u0f33",
           "\U0001f600\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d\U0001f308",
           "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "1\ufe0f\u20e3 \u00a9\ufe0f", "\u732b\u306e\u5199\u771f \u4e2d\u6587\u3002",
           "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea\u200f!", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u1f48\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2",
           "\u2168 \u24b6 \u1d2c \u02b0", "\U00010400\U00010428", "\ue000 \uf8ff \U000f0000", "\ufdd0\uffff\U0010ffff",
           "word " * 100, "x" * 300, "\u732b" * 60, "ab" * 200, "1" * 90, "! ? " * 50, "<end_of_text> " * 90,
           "a photo of " * 19 + "a", "A" * 47 + " " + "b" * 48 + " " + "c" * 49]


def mojibake_texts():
    texts = []
    for source in ("caf\u00e9 na\u00efve", "\u201cquoted\u201d \u2013 it\u2019s", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u732b\u306e\u5199\u771f",
                   "\u20ac5 \u2026 \u2122", "\u00e0 la voil\u00e0 \u00e0s \u00e0quele", "\U0001f600 fun"):
        for encoding in ENCODINGS:
            for name in (encoding, "sloppy-" + encoding):
                if "windows" not in encoding and name != encoding:
                    continue
                once = source.encode("utf-8").decode(name, "replace")
                texts.append(once)
        twice = source.encode("utf-8").decode("latin-1").encode("utf-8").decode("sloppy-windows-1252")
        texts += [twice, "ok " + twice + " \u732b", twice.replace("\xa0", " ")]
    texts += ["\u00c3 la mode", " \u00c3 ", "\u00c3\u00a0 \u00c3s \u00c3quele", "s\u00c3\u00b3", "\u00c2\u00a9 2020", "\u00e2\u20ac\u0153 lost \u00e2\u20ac\ufffd",
              "l\u00e2\u20ac?s", "\u00ed\u00a0\u00bd\u00ed\u00b8\u0080", "\u00c0\u0080", "caf\xe9 \x80\x93\x99", "\x93Hi\x94", "\x81\x8d\x8f",
              "\u0432\u0402\u045a \u0432\u0402\u2122", "\u221a\u00b1 \u201a\u00c4\u00f4", "\u2261\u0192\u00ff\u00c7", "\u03b2\u20ac\u2122", "\u0101\u20ac\u009c", "\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8",
              "\u00c5\u0093uf \u0153uf \u0153 x", "100\u00b0 \u00c2\u00b0", "\u00d7\u00b2", "\u00ef\u00bb\u00bfbom"]
    return texts


def hard_texts():
    plain = [text.replace("\1", "<|startoftext|>").replace("\2", "<|endoftext|>")
             for line in PLAIN.split("\0") for text in [line]]
    plain = [piece for line in plain for piece in
             ([line] if "|>" in line else line.split("|"))]
    entities = ENTITIES + [f"x{entity}y" for entity in ENTITIES]
    entities += [html.escape(html.escape("<i>\"caf\u00e9\" & 'x'</i>")), "&lt;&amp;gt; &amp;amp;amp;amp;lt;",
                 "P&EACUTE;REZ &NTILDE; &nTILDE;", "&#x1F600; &#128512; &#x1f469;&#x200d;&#x1f467;", "AT&T R&D &c."]
    rng = random.Random(7)
    texts = plain + SPECIAL + entities + mojibake_texts() + [random_text(rng) for _ in range(60)]
    return list(dict.fromkeys(texts))


def train_merges(texts):
    """Merges by pair frequency, in the manner of CLIP's vocabulary."""
    words = collections.Counter()
    simple = reference.SimpleTokenizer()
    for text in texts:
        for word in regex.findall(r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", simple.clean_fn(text)):
            symbols = [simple.byte_encoder[byte] for byte in word.encode()]
            words[tuple(symbols[:-1] + [symbols[-1] + "</w>"])] += 1
    merges, made = [], set()
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        pair = min((p for p in pairs if "".join(p) not in made), key=lambda p: (-pairs[p], p))
        merges.append(pair)
        made.add("".join(pair))
        merged = collections.Counter()
        for word, count in words.items():
            out = []
            for symbol in word:
                if out and (out[-1], symbol) == pair:
                    out[-1] += symbol
                else:
                    out.append(symbol)
            merged[tuple(out)] += count
        words = merged
    return merges


def write_tokenizer_json(folder, merges):
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    symbols = list(reference.bytes_to_unicode().values())
    tokens = ["<pad>"] + symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges]
    tokens += ["<start_of_text>", "<end_of_text>"]
    vocab = {token: index for index, token in enumerate(tokens)}
    model = Tokenizer(models.BPE(vocab=vocab, merges=merges, end_of_word_suffix="</w>",
                                 continuing_subword_prefix="", unk_token="<end_of_text>"))
    model.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)])
    model.post_processor = processors.RobertaProcessing(
        ("<end_of_text>", vocab["<end_of_text>"]), ("<start_of_text>", vocab["<start_of_text>"]),
        add_prefix_space=False, trim_offsets=False)
    model.add_special_tokens([AddedToken(t, normalized=False) for t in ("<pad>", "<start_of_text>")])
    model.add_special_tokens([AddedToken("<end_of_text>", normalized=True)])
    folder.mkdir(exist_ok=True)
    model.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<start_of_text>",
        "eos_token": "<end_of_text>", "pad_token": "<pad>", "model_max_length": 32}) + "\n")



def main():
    OUT.mkdir(parents=True, exist_ok=True)
    texts = hard_texts()
    merges = train_merges(WORDS + [text for text in texts if len(text) < 150])
    (OUT / "tiny_vocab.txt").write_text("#version: openclip test\n" + "\n".join(map(" ".join, merges)))
    write_tokenizer_json(OUT / "tiny_tokenizer", merges)
    clip = reference.SimpleTokenizer()
    with tempfile.NamedTemporaryFile(suffix=".gz") as packed:
        packed.write(gzip.compress((OUT / "tiny_vocab.txt").read_bytes()))
        packed.flush()
        tiny = reference.SimpleTokenizer(bpe_path=packed.name)
    hugging = reference.HFTokenizer(str(OUT / "tiny_tokenizer"), context_length=32)
    rows = [{"text": text, "clean": clip.clean_fn(text), "clip": clip([text])[0].tolist(),
             "tiny": tiny([text])[0].tolist(), "hf": hugging([text])[0].tolist(),
             "canonical": reference.get_clean_fn("canonicalize")(text)} for text in texts]
    for row in rows:  # zeros at the end are padding in all three
        for key in ("clip", "tiny", "hf"):
            while row[key][-1] == 0:
                row[key].pop()
    versions = {"open_clip_torch": open_clip.__version__, "ftfy": ftfy.__version__,
                "regex": regex.__version__, "tokenizers": tokenizers.__version__,
                "python": sys.version.split()[0]}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (OUT / "texts.json").write_text(
        f'{{"versions":{json.dumps(versions)},\n"texts":[\n{lines}\n]}}\n')
    print(f"{OUT}: {len(rows)} texts")


if __name__ == "__main__":
    main()
