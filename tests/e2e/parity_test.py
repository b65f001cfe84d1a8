"""The program's numbers against those of Python's open_clip (tools/goldens/tiny_features.py)."""
import json
import unittest

from support import ROOT, ProgramTest, read_npy


class ParityTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.golden = json.loads((ROOT / "tests/golden/tiny_features.json").read_text())
        self.images = [ROOT / path for path in self.golden["images"]]

    def close(self, values, expected):
        # f32 towers of two blocks: eps * sqrt(width of the longest sum) * some ten operations.
        for x, y in zip(values, expected, strict=True):
            self.assertAlmostEqual(x, y, delta=2e-5)

    def test_token_ids(self):
        texts = [x for prompt in self.golden["prompts"] for x in ("--text", prompt)]
        self.assertEqual(json.loads(self.succeed("tokenize", *texts)), self.golden["ids"])

    def test_features(self):
        texts = [x for prompt in self.golden["prompts"] for x in ("--text", prompt)]
        self.succeed("embed", *self.images, *texts, "--out", "f.npy")
        shape, values = read_npy(self.dir / "f.npy")
        rows = self.golden["image_features"] + self.golden["text_features"]
        self.assertEqual(shape, (len(rows), len(rows[0])))
        self.close(values, [x for row in rows for x in row])

    def test_probabilities(self):
        templates = [x for text in self.golden["templates"] for x in ("--template", text)]
        answers = self.succeed_json("classify", *self.images, "--labels",
                                    ",".join(self.golden["labels"]), *templates)
        for answer, expected in zip(answers, self.golden["scores"], strict=True):
            found = {x["label"]: x["score"] for x in answer["labels"]}
            self.close([found[label] for label in self.golden["labels"]], expected)


if __name__ == "__main__":
    unittest.main()
