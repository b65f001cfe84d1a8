#!/usr/bin/env python3
"""Writes tests/golden/tokenizers/: small tokenizers of every kind that open_clip's configs name, and ids.

    python3 tools/goldens/tokenizer_files.py   (needs open_clip_torch 3.3.0, transformers, tokenizers,
                                           sentencepiece, protobuf)

The real vocabularies are megabytes; these are trained here, on the texts of tests/golden/text, in the same
configuration: SigLIP's T5 (unigram, nmt_nfkc), mT5's with user symbols, XLM-RoBERTa's ids, Gemma's byte
pairs with byte fallback and without normalisation, BERT's WordPiece, RoBERTa's byte pairs. NAME/ holds the
files as a repository would.
ids.json: folder, files left out of it (without tokenizer.json the model file itself is read), the options of
HFTokenizer and the ids it gives for each text of texts.json.
"""
import io
import json
import pathlib
import shutil
import sys
import tempfile

import open_clip
import sentencepiece
import tokenizers
import transformers
from open_clip.tokenizer import HFTokenizer

ROOT = pathlib.Path(__file__).parent.parent.parent
OUT = ROOT / "tests/golden/tokenizers"
EXTRA = ["multiple   spaces\u3000here", "\uff21\uff22\uff23 \u2460 \ufb01sh \u00bd", "a\u0301e\u0301 n\u0303", "\u1112\u1161\u11ab\u1100\u1173\u11af",
         "tabs\tand\u00a0nbsp", "\U0001f600\U0001f469\u200d\U0001f467 \u732b", "<pad> </s> <eos> [SEP] <mask> [MASK] x",
         "a <mask> b", "<extra_id_0> <0x41> \u2581x\u2581\u2581y", "don't stop, can't; I'll've", "x" * 120,
         "\u732b\u306e\u5199\u771f \u4e2d\u6587\u3002 \u0421\u043e\u0431\u0430\u043a\u0430 \u0627\u0644\u0639\u0631\u0628\u064a\u0629", "12345 67,890.12 3rd", "naïve Café ÀÉÎ"]


def all_texts():
    rows = json.loads((ROOT / "tests/golden/text/texts.json").read_text())["texts"]
    return [row["text"] for row in rows] + EXTRA


def sentences():
    """Ordinary ones for training: a grammar of captions in some languages, and the hard texts."""
    things = "cat dog bird house tree car flower mountain river person child photo painting bottle".split()
    places = "in the park|on a table|near the sea|under a tree|at night|in the snow".split("|")
    out = [f"a {kind} of {number} {thing}s {place}, isn't it?" for kind in ("photo", "drawing", "close-up picture")
           for number in ("two", "7", "many") for thing in things for place in places]
    out += ["une photo d'un café près de la rivière", "ein Foto von einem großen Hund", "猫の写真 です", "一张猫的照片",
            "Фотография собаки в парке", "صورة قطة في الحديقة", "강아지 사진", "रात में एक घर"] * 20
    return out + [text for text in all_texts() if 0 < len(text) < 150 and "\0" not in text] * 2


# nmt_nfkc's map has 240 KB; one such file is enough, the others take a small one of our own.
RULES = {"\u3000": " ", "\u00a0": " ", "\u2460": "1", "\ufb01": "fi", "\u00bd": "1\u20442", "\u200b": "",
         "e\u0301": "\u00e9", "a\u0301": "\u00e1", "\uff21": "A", "\uff22": "B", "\u2026": "...", "\u2122": "TM"}


def write_rules(path):
    rows = [[" ".join(f"{ord(c):X}" for c in text) for text in rule] for rule in RULES.items()]
    path.write_text("".join("\t".join(row) + "\n" for row in rows))


def train_sentencepiece(path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if "normalization_rule_name" not in options:
        options["normalization_rule_tsv"] = str(path.parent / "rules.tsv")
        write_rules(path.parent / "rules.tsv")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences()), model_writer=model, minloglevel=2, hard_vocab_limit=False,
        num_threads=1, **options)
    path.write_bytes(model.getvalue())


def save(folder, tokenizer):
    tokenizer.save_pretrained(folder)


def write_t5():
    """SigLIP's c4-en: pad = end = 1, as open_clip's SigLipTokenizer sets them up."""
    folder = OUT / "siglip"
    train_sentencepiece(folder / "spiece.model", vocab_size=500, model_type="unigram", character_coverage=0.98,
                        normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "pad_token": "</s>", "legacy": False}))
    # What is saved then has "add_prefix_space": null, and without its tokenizer.json no such space.
    save(folder, transformers.AutoTokenizer.from_pretrained(folder))


def write_mt5():
    """google/mt5-base has spiece.model only; its special tokens are those of the model."""
    folder = OUT / "mt5"
    train_sentencepiece(folder / "spiece.model", vocab_size=900, model_type="unigram", character_coverage=0.98,
                        pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
                        byte_fallback=True, user_defined_symbols=["<extra_id_0>", "cat dog"])
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "pad_token": "<pad>"}) + "\n")


def write_xlm_roberta():
    folder = OUT / "xlm_roberta"
    train_sentencepiece(folder / "sentencepiece.bpe.model", vocab_size=500, model_type="unigram",
                        character_coverage=0.98, unk_id=0, bos_id=1, eos_id=2)
    save(folder, transformers.XLMRobertaTokenizerFast(str(folder / "sentencepiece.bpe.model")))


def write_gemma():
    folder = OUT / "gemma"
    train_sentencepiece(folder / "tokenizer.model", vocab_size=700, model_type="bpe", character_coverage=0.98,
                        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
                        byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True,
                        pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
                        user_defined_symbols=["<mask>", "<start_of_turn>", "▁▁", "▁▁▁", "<b>"])
    fast = transformers.GemmaTokenizerFast(str(folder / "tokenizer.model"), padding_side="right",
                                           add_bos_token=False, add_eos_token=True)
    save(folder, fast)


def write_bert():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    folder = OUT / "bert"
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(sentences(), trainers.WordPieceTrainer(
        vocab_size=700, limit_alphabet=250, show_progress=False,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    vocab = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(token + "\n" for token, _ in vocab))
    save(folder, transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True))


def write_roberta():
    from tokenizers import ByteLevelBPETokenizer
    folder = OUT / "roberta"
    folder.mkdir(exist_ok=True)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(sentences(), vocab_size=700, show_progress=False,
                            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    bpe.save_model(str(folder))
    save(folder, transformers.RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt")))


JSON = "tokenizer.json"
CASES = [  # folder, files left out, context length, options of HFTokenizer
    ("siglip", [], 64, {"clean": "canonicalize"}), ("siglip", [JSON], 16, {"clean": "canonicalize"}),
    ("siglip", [], 24, {}), ("mt5", [], 77, {"clean": "canonicalize"}), ("mt5", [], 77, {}),
    ("xlm_roberta", [], 77, {}), ("xlm_roberta", [JSON], 20, {}),
    ("gemma", [], 64, {"clean": "canonicalize"}), ("gemma", [JSON], 40, {}),
    ("bert", [], 32, {"strip_sep_token": True}), ("bert", [JSON], 32, {}),
    ("roberta", [], 77, {}), ("roberta", [JSON], 12, {}),
]


def reference_of(name, left_out, context, options):
    with tempfile.TemporaryDirectory() as folder:
        for path in (OUT / name).iterdir():
            if path.name not in left_out:
                shutil.copy(path, folder)
        return HFTokenizer(folder, context_length=context, **options)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for write in (write_t5, write_mt5, write_xlm_roberta, write_gemma, write_bert, write_roberta):
        write()
    texts = all_texts()
    cases = []
    for name, left_out, context, options in CASES:
        reference = reference_of(name, left_out, context, options)
        ids = [reference([text])[0].tolist() for text in texts]
        cases.append({"folder": name, "without": left_out, "context_length": context, "options": options,
                      "pad": reference.tokenizer.pad_token_id, "ids": ids})
    for case in cases:  # padding at the end says nothing more
        for row in case["ids"]:
            while row and row[-1] == case["pad"]:
                row.pop()
    versions = {"open_clip_torch": open_clip.__version__, "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__,
                "python": sys.version.split()[0]}
    head = json.dumps({"versions": versions, "extra_texts": EXTRA}, separators=(",", ":"))[:-1]
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (OUT / "ids.json").write_text(f'{head},"cases":[\n{rows}\n]}}\n')
    keep = {"tokenizer.json", "tokenizer_config.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model",
            "vocab.txt", "vocab.json", "merges.txt", "ids.json"}
    for path in OUT.rglob("*"):
        if path.is_file() and path.name not in keep:
            path.unlink()
    print(f"{OUT}: {len(texts)} texts, {len(cases)} tokenizers")


if __name__ == "__main__":
    main()
