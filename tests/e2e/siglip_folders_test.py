"""Folders of transformers' SiglipModel, against the features that transformers computes
(tools/goldens/siglip_models.py)."""
import json
import shutil
import unittest

from support import ROOT, ProgramTest, read_npy

GOLDEN = ROOT / "tests/golden/siglip"


class SiglipFoldersTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expected = json.loads((GOLDEN / "expected.json").read_text())

    def model(self, name):
        folder = self.dir / name
        shutil.copytree(GOLDEN / name, folder)
        for path in (ROOT / "tests/golden/tokenizers" / self.expected[name]["tokenizer"]).iterdir():
            shutil.copy(path, folder)
        return folder

    def test_features_and_ids(self):
        texts = [x for text in self.expected["texts"] for x in ("--text", text)]
        images = [ROOT / path for path in self.expected["images"]]
        for name in ("siglip", "siglip2"):
            model, want = self.model(name), self.expected[name]
            ids = json.loads(self.succeed("tokenize", *texts, "--quiet", "--model", model))
            self.assertEqual(ids, want["ids"])
            self.succeed("embed", *images, *texts, "--out", "f.npy", "--no-normalize", "--quiet", "--model", model)
            shape, values = read_npy(self.dir / "f.npy")
            rows = want["image_features"] + want["text_features"]
            self.assertEqual(shape, (len(rows), 24))
            for i, row in enumerate(rows):
                for x, y in zip(values[i * 24:i * 24 + 24], row, strict=True):
                    self.assertAlmostEqual(x, y, delta=2e-5)  # as in checkpoints_test.py

    def test_probabilities_are_sigmoids(self):
        answer = self.succeed_json("classify", ROOT / "samples/cat.png", "--labels", "cat,dog", "--quiet",
                                   "--model", self.model("siglip"))
        self.assertLess(sum(item["score"] for item in answer[0]["labels"]), 1.0)

    def test_converts_to_open_clip(self):
        self.model("siglip2")
        self.succeed("convert", "--model", "siglip2", "--out", "o", "--quiet")
        for model in ("siglip2", "o"):
            self.succeed("embed", "--text", "a cat", "--out", f"{model}.npy", "--quiet", "--model", model)
        self.assertEqual(read_npy(self.dir / "siglip2.npy"), read_npy(self.dir / "o.npy"))

    def test_what_is_not_supported(self):
        model = self.model("siglip")
        config = json.loads((model / "config.json").read_text())
        for change, says in (({"model_type": "siglip2"}, "'siglip2'"),
                             ({"vision_config": {"hidden_act": "quick_gelu"}}, "hidden_act"),
                             ({"text_config": {"projection_size": 7}}, "projection_size")):
            changed = {key: config[key] | value if isinstance(value, dict) else value
                       for key, value in change.items()}
            self.file("siglip/config.json", json.dumps(config | changed))
            self.refuse(1, "tokenize", "--model", "siglip", "--text", "x", says=says)


if __name__ == "__main__":
    unittest.main()
