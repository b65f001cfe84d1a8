"""caption, with the tiny CoCa whose captions tools/goldens/coca.py has from Python."""
import json
import shutil
import unittest

from support import ROOT, ProgramTest, png

GOLDEN = ROOT / "tests/golden/coca"
WORDS = [f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz0123456789+-"]


class CaptionTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = self.dir / "coca"
        self.model.mkdir()
        config = json.loads((GOLDEN / "pooled.json").read_text())
        config["text_cfg"]["hf_tokenizer_name"] = "tiny"
        self.write_config(config)
        shutil.copy(GOLDEN / "pooled.safetensors", self.model / "open_clip_model.safetensors")
        tokens = WORDS + ["<|startoftext|>", "<|endoftext|>"]
        (self.model / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
        (self.model / "merges.txt").write_text("#version: 0.2\n")
        self.file("a.png", png(40, 30))
        self.file("b.png", png(30, 40, lambda x, y: (250, x * 3, y * 3)))

    def write_config(self, config):
        (self.model / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))

    def captions(self, *options):
        return self.succeed_json("caption", "a.png", "b.png", "--max-length", 16, "--model", "coca",
                                 *options)

    def test_words_and_ids(self):
        for options in ((), ("--top-k", 1), ("--top-p", 0.9, "--seed", 3)):
            done = self.captions(*options)
            self.assertEqual([row["image"] for row in done], ["a.png", "b.png"])
            for row in done:
                self.assertEqual(row["ids"][0], 38)
                words = [WORDS[i][0] for i in row["ids"] if i < 38]
                self.assertEqual(row["caption"], " ".join(words))
        lines = self.succeed("caption", "a.png", "--top-k", 1, "--max-length", 16, "--model", "coca")
        greedy = self.captions("--top-k", 1)
        self.assertEqual(lines, f"a.png\t{greedy[0]['caption']}\n")
        self.assertEqual(self.captions("--top-p", 0), greedy)

    def test_seed(self):
        first = self.captions("--top-k", 9, "--seed", 1)
        self.assertEqual(self.captions("--top-k", 9, "--seed", 1), first)
        self.assertNotEqual(self.captions("--top-k", 9, "--seed", 2), first)

    def test_unreadable_pictures_are_skipped(self):
        self.file("bad.png", b"no picture")
        done = self.run_program("caption", "bad.png", "a.png", "--max-length", 16, "--model", "coca")
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.png", done.stderr)
        self.assertTrue(done.stdout.startswith("a.png\t"))

    def test_convert_keeps_the_bytes(self):
        self.succeed("convert", "--model", "coca", "--out", "o")
        self.succeed("convert", "--model", "o", "--out", "back")
        name = "open_clip_model.safetensors"
        self.assertEqual((self.dir / "o" / name).read_bytes(),
                         (self.dir / "back" / name).read_bytes())
        captions = self.captions()
        self.model = self.dir / "back"
        self.assertEqual(self.succeed_json("caption", "a.png", "b.png", "--max-length", 16,
                                           "--model", "back"), captions)
        self.refuse(1, "convert", "--model", "coca", "--to", "transformers", "--out", "t",
                    says="writes captions")

    def test_refusals(self):
        run = ("caption", "a.png", "--model", "coca")
        self.refuse(2, "caption", "a.png", says="writes no captions")
        self.refuse(2, *run, "--max-length", 18, says="up to 17 tokens")
        self.refuse(2, *run, "--beams", 5, says="num_beam_groups")
        self.refuse(2, *run, "--top-k", 2, "--top-p", 0.5, says="one of them")
        self.refuse(2, *run, "--temperature", 0, "--top-k", 2, says="temperature")
        config = json.loads((GOLDEN / "pooled.json").read_text())
        config["vision_cfg"]["attentional_pool"] = "parallel"
        self.write_config(config)
        self.refuse(1, *run, says="'parallel'")
        config["vision_cfg"]["attentional_pool"] = True
        config["multimodal_cfg"]["width"] = 24
        self.write_config(config)
        self.refuse(1, *run, says="multimodal_cfg")


if __name__ == "__main__":
    unittest.main()
