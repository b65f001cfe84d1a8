"""Tokenizers that a model's config names: from the model's folder, from the Hub, and what is cut."""
import json
import shutil
import unittest

from pull_test import HubTest
from hub_server import COMMIT, Repo
from support import ROOT, TINY, ProgramTest

GOLDEN = ROOT / "tests/golden/tokenizers"
IDS = json.loads((GOLDEN / "ids.json").read_text())
TEXTS = [row["text"] for row in json.loads((ROOT / "tests/golden/text/texts.json").read_text())["texts"]]
TEXTS += IDS["extra_texts"]
# What fits on a command line, and is one argument there.
CHOSEN = [i for i, text in enumerate(TEXTS) if "\0" not in text and text.isprintable()][:150]


def case(folder, without=()):
    return next(c for c in IDS["cases"] if c["folder"] == folder and c["without"] == list(without))


def padded(row, c):
    return row + [c["pad"]] * (c["context_length"] - len(row))


def files(folder):
    return {path.name: path.read_bytes() for path in (GOLDEN / folder).iterdir()}


class TokenizersTest(HubTest):
    def tokenize(self, model, texts):
        arguments = [x for text in texts for x in ("--text", text)]
        return json.loads(self.succeed("tokenize", "--model", model, "--quiet", *arguments))

    def same_ids(self, model, c):
        wanted = [padded(c["ids"][i], c) for i in CHOSEN]
        self.assertEqual(self.tokenize(model, [TEXTS[i] for i in CHOSEN]), wanted)

    def test_registry_models_fetch_their_tokenizer_once(self):
        self.hub.repos["timm/ViT-B-16-SigLIP"] = Repo(files("siglip"))
        self.same_ids("ViT-B-16-SigLIP", case("siglip"))
        asked = len(self.hub.requests)
        self.same_ids("ViT-B-16-SigLIP", case("siglip"))
        self.assertEqual(len(self.hub.requests), asked)
        snapshot = self.dir / "hub/models--timm--ViT-B-16-SigLIP/snapshots" / COMMIT
        self.assertFalse((snapshot / "spiece.model").exists())  # tokenizer.json says it all

    def test_what_python_cached_is_used_offline(self):
        self.env["HF_HUB_OFFLINE"] = "1"
        for model, repo, golden in (("ViT-L-14-CLIPA", "models--bert-base-uncased", "bert"),
                                    ("ViT-B-16-SigLIP2", "models--timm--ViT-B-16-SigLIP2", "gemma"),
                                    ("ViT-L-14-worldwide", "models--google--mt5-base", "mt5")):
            shutil.copytree(GOLDEN / golden, self.dir / f"hub/{repo}/snapshots/abc")
            self.same_ids(model, case(golden))
        self.refuse(1, "tokenize", "--model", "ViT-H-14-worldwide", "--text", "x", says="HF_HUB_OFFLINE")

    def test_repositories_without_owner(self):
        self.hub.repos["bert-base-uncased"] = Repo(files("bert"))
        self.same_ids("ViT-H-14-CLIPA", case("bert"))

    def test_a_repository_without_tokenizer(self):
        self.hub.repos["timm/ViT-B-16-SigLIP"] = Repo({"README.md": b"x"})
        self.refuse(1, "tokenize", "--model", "ViT-B-16-SigLIP", "--text", "x", says="has no tokenizer")


class TruncationTest(ProgramTest):
    def test_cut_texts_are_told_once(self):
        long = "cat " * 100
        result = self.run_program("tokenize", "--text", long, "--text", "cat")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"^openclip: note: the text 'cat cat [^\n]*\.\.\.' was cut to the model's "
                                        r"\d+ tokens; \d+ more did not fit\n$")
        result = self.run_program("embed", "--text", long, "--text", long + long, "--text", "cat",
                                  "--out", "f.npy")
        self.assertRegex(result.stderr, r"note: 2 texts were, the longest of them 'cat [^\n]*', cut to the model's")
        result = self.run_program("tokenize", "--text", long, "--quiet")
        self.assertEqual(result.stderr, "")


if __name__ == "__main__":
    unittest.main()
