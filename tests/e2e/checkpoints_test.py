"""Checkpoints of other programs, and `convert`: against the features that transformers computes
(tools/goldens/transformers_models.py)."""
import json
import resource
import shutil
import unittest

from support import ROOT, TINY, ProgramTest, read_npy, read_safetensors

GOLDEN = ROOT / "tests/golden/transformers"
WEIGHTS = "open_clip_model.safetensors"


class CheckpointsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.expected = json.loads((GOLDEN / "expected.json").read_text())

    def embed(self, *model):
        """Features of the golden's pictures and texts, not normalised."""
        texts = [x for text in self.expected["texts"] for x in ("--text", text)]
        images = [ROOT / path for path in self.expected["images"]]
        self.succeed("embed", *images, *texts, "--out", "f.npy", "--no-normalize", "--model", *model)
        shape, values = read_npy(self.dir / "f.npy")
        return [values[i:i + shape[1]] for i in range(0, len(values), shape[1])]

    def same_features(self, golden, *model):
        want = self.expected[golden]
        rows = want["image_features"] + want["text_features"]
        # f32 towers of two blocks on features of about 3: as in parity_test.py.
        for got, expected in zip(self.embed(*model), rows, strict=True):
            for x, y in zip(got, expected, strict=True):
                self.assertAlmostEqual(x, y, delta=2e-5)

    def test_token_ids(self):
        for name in ("clip", "legacy"):
            texts = [x for text in self.expected["texts"] for x in ("--text", text)]
            ids = json.loads(self.succeed("tokenize", *texts, "--model", GOLDEN / name))
            self.assertEqual(ids, self.expected[name]["ids"])

    def test_folders_of_transformers(self):
        self.same_features("clip", GOLDEN / "clip")
        self.same_features("clip", f"local-dir:{GOLDEN / 'clip'}")
        self.same_features("legacy", GOLDEN / "legacy")
        self.same_features("clip", GOLDEN / "clip/config.json")
        snapshot = self.dir / "hub/models--org--clip/snapshots/abc"
        shutil.copytree(GOLDEN / "clip", snapshot)
        self.same_features("clip", "hf-hub:org/clip")

    def test_training_checkpoint(self):
        self.same_features("clip", GOLDEN / "open_clip")
        self.same_features("clip", GOLDEN / "clip", "--pretrained",
                           GOLDEN / "open_clip/epoch_1.pt")

    def test_torchscript_archive(self):
        self.same_features("clip", GOLDEN / "open_clip", "--pretrained",
                           GOLDEN / "open_clip/traced.pt")

    def test_convert_to_transformers_and_back(self):
        for name in ("clip", "legacy", "open_clip"):
            golden = "legacy" if name == "legacy" else "clip"
            self.succeed("convert", "--model", GOLDEN / name, "--out", f"{name}-o")
            self.succeed("convert", "--model", f"{name}-o", "--to", "transformers",
                         "--out", f"{name}-t")
            self.succeed("convert", "--model", f"{name}-t", "--out", f"{name}-back")
            self.assertEqual((self.dir / f"{name}-o" / WEIGHTS).read_bytes(),
                             (self.dir / f"{name}-back" / WEIGHTS).read_bytes())
            for folder in ("o", "t", "back"):
                self.same_features(golden, f"{name}-{folder}")

    def test_convert_keeps_the_default_models_bytes(self):
        done = self.succeed_json("convert", "--out", "o")
        self.assertEqual(done["files"], ["open_clip_config.json", WEIGHTS, "tokenizer.json"])
        self.succeed("convert", "--to", "transformers", "--out", "t")
        self.succeed("convert", "--model", "t", "--out", "back")
        self.assertEqual((self.dir / "o" / WEIGHTS).read_bytes(),
                         (self.dir / "back" / WEIGHTS).read_bytes())
        header, data = read_safetensors(self.dir / "o" / WEIGHTS)
        first, first_data = read_safetensors(TINY / WEIGHTS)
        for name, entry in first.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                a, b = header[name]["data_offsets"]
                self.assertEqual(first_data[begin:end], data[a:b], name)

    def test_convert_precision(self):
        for precision, size in (("f32", 4), ("f16", 2), ("bf16", 2)):
            self.succeed("convert", "--out", precision, "--precision", precision)
            header, _ = read_safetensors(self.dir / precision / WEIGHTS)
            begin, end = header["visual.proj"]["data_offsets"]
            self.assertEqual(header["visual.proj"]["dtype"], precision.upper())
            self.assertEqual(end - begin, 32 * 16 * size)

    def test_convert_refuses_to_overwrite(self):
        self.succeed("convert", "--out", "m")
        self.refuse(2, "convert", "--out", "m", says=("m is not empty", "--force"))
        self.succeed("convert", "--to", "transformers", "--out", "m", "--force")
        self.assertFalse((self.dir / "m" / WEIGHTS).exists())
        self.file("m/notes.txt", "mine")
        self.refuse(2, "convert", "--out", "m", "--force", says="notes.txt")
        self.file("file", "x")
        self.refuse(2, "convert", "--out", "file", says="is a file")
        self.assertEqual((self.dir / "m/notes.txt").read_text(), "mine")

    def test_convert_leaves_nothing_behind(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        done = self.run_program("convert", "--out", "m", preexec_fn=small_files)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(self.listing(), [])

    def test_what_transformers_cannot_express(self):
        config = json.loads((TINY / "open_clip_config.json").read_text())
        config["model_cfg"]["text_cfg"]["no_causal_mask"] = True
        model = self.copy_model()
        (model / "open_clip_config.json").write_text(json.dumps(config))
        self.refuse(1, "convert", "--model", "model", "--to", "transformers", "--out", "t",
                    says="causal mask")
        self.assertEqual(self.listing(), ["model"])

    def test_other_models_of_transformers(self):
        shutil.copytree(GOLDEN / "clip", self.dir / "m")
        config = json.loads((self.dir / "m/config.json").read_text())
        for change, says in (({"model_type": "bert"}, "'bert'"),
                             ({"vision_config": {"hidden_act": "relu"}}, "'relu'"),
                             ({"vision_config": {"num_channels": 4}}, "num_channels"),
                             ({"text_config": {"vocab_size": "x"}}, "vocab_size")):
            self.file("m/config.json", json.dumps(config | change))
            self.refuse(1, "embed", "--model", "m", "--text", "x", "--out", "f.npy", says=says)


if __name__ == "__main__":
    unittest.main()
