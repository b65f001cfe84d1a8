"""Trains the default model's tokenizer: CLIP's algorithm with a small vocabulary.

Order of ids: <pad>, 256 bytes, the same with </w>, merges, <start_of_text>, <end_of_text>. Padding has a token of its own,
since in CLIP's own table id 0 is also "!". Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json.
"""

import argparse
import json
import os

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from common import work
from phrases import COLOURS, NUMBERS, PLACES, SHAPES, TEMPLATES, plural

PAD, START, END = "<pad>", "<start_of_text>", "<end_of_text>"
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_alphabet():
    """CLIP's printable stand-ins for the 256 bytes, in CLIP's order."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + i) for i in range(len(rest))]


def pipeline(model):
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Replace("</w>", " ")])
    return tokenizer


def corpus():
    """Every caption of every class once, names several times, and the words of generated captions."""
    seen = {}
    for line in open(work("manifest.jsonl"), encoding="utf-8"):
        row = json.loads(line)
        for language in ("en", "zh"):
            for i, text in enumerate(row[language]):
                weight = 4 if i < row["named"][language] else 1
                key = (row["class"], text)
                seen[key] = max(weight, seen.get(key, 0))
    for (_, text), weight in sorted(seen.items()):
        yield from [text] * weight
    shapes = [t for c, (zc, _) in COLOURS.items() for s, zs in SHAPES.items() for t in (f"a {c} {s}", f"{zc}{zs}", f"{plural(s)} {zs} {zc}的{zs}")]
    words = [w for pair in [*NUMBERS.values(), *PLACES.values()] for w in pair]
    frames = [t.format("") for ts in TEMPLATES.values() for t in ts]
    counts = [f"{z}个 {z}只" for _, z in NUMBERS.values()]
    yield from shapes + (words + frames + counts + ["letter number 字母 数字 uppercase lowercase"]) * 12


def merges_of(vocabulary_size):
    tokenizer = pipeline(models.BPE(end_of_word_suffix="</w>"))
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size + 600, end_of_word_suffix="</w>", show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2,
    )  # fmt: skip
    tokenizer.train_from_iterator(corpus(), trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in merges]
    return merges[: vocabulary_size - 515]


def build(merges):
    alphabet = byte_alphabet()
    tokens = [PAD] + alphabet + [c + "</w>" for c in alphabet]
    known = set(tokens)
    kept = []
    for a, b in merges:
        if a + b not in known:  # the same token may be reached by two merges: the first one stands for both
            tokens.append(a + b)
            known.add(a + b)
        kept.append((a, b))
    tokens += [START, END]
    vocabulary = {t: i for i, t in enumerate(tokens)}
    tokenizer = pipeline(models.BPE(vocab=vocabulary, merges=kept, end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token=END))
    tokenizer.add_special_tokens([PAD, START, END])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])]
    )
    return tokenizer


def write(tokenizer, folder, context_length):
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": PAD}
    config = {
        **special, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context_length, "padding_side": "right",
        "truncation_side": "right", "clean_up_tokenization_spaces": False, "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
    for name, content in (("special_tokens_map.json", special), ("tokenizer_config.json", config)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            json.dump(content, f, indent=2)
            f.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--context", type=int, default=24)
    parser.add_argument("--out", default=work("tokenizer"))
    arguments = parser.parse_args()
    tokenizer = build(merges_of(arguments.vocabulary))
    write(tokenizer, arguments.out, arguments.context)
    lengths = sorted(len(tokenizer.encode(text).ids) for text in set(corpus()))
    print(f"{tokenizer.get_vocab_size()} tokens; captions take {lengths[len(lengths) // 2]} (median), {lengths[int(len(lengths) * 0.999)]} (99.9 %), {lengths[-1]} (most)")


if __name__ == "__main__":
    main()
