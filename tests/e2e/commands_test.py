"""tokenize, models, bench, train, --help and --version; exit codes of wrong usage."""
import json
import unittest

from support import ROOT, TINY, ProgramTest, png

COMMANDS = ("classify", "embed", "tokenize", "preprocess", "models", "bench")


class UsageTest(ProgramTest):
    def test_help_of_every_command_has_examples(self):
        self.assertIn("Examples", self.succeed("--help"))
        for command in COMMANDS:
            out = self.succeed(command, "--help")
            self.assertIn(f"openclip {command}", out)
            self.assertIn("Example", out)

    def test_version_says_what_the_default_model_is_for(self):
        out = self.succeed("--version")
        self.assertRegex(out, r"^openclip \d+\.\d+\.\d+\n")
        self.assertIn("default model", out)

    def test_wrong_usage(self):
        self.refuse(2, says="--help")
        self.refuse(2, "clasify", says="'classify'")
        self.refuse(2, "photograph", says=("classify", "embed", "bench"))
        self.refuse(2, "classify", "--colour", "red", "x.png", says="--colour")
        self.refuse(2, "models", says="--help")
        self.refuse(2, "tokenize", says="--text")
        self.refuse(2, "tokenize", "--text", "x", "--threads", "-1", says="--threads")

    def test_unknown_precisions_are_refused(self):
        self.refuse(2, "tokenize", "--text", "x", "--precision", "f31", says="f31")
        for precision in ("f32", "bf16", "int8", "auto"):
            self.succeed("tokenize", "--text", "x", "--precision", precision)

    def test_train_is_started_or_explained(self):
        done = self.run_program("train", "--no-such-flag")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("openclip-train", done.stderr)


class TokenizeTest(ProgramTest):
    def test_lists_are_as_long_as_the_context(self):
        self.file("t.txt", "cat dog\n\n" + "long " * 40 + "\n")
        lists = json.loads(self.succeed("tokenize", "--text", "Cat", "--text-file", "t.txt"))
        self.assertEqual([len(ids) for ids in lists], [16] * 4)
        vocabulary = json.loads((TINY / "tokenizer.json").read_text())["model"]["vocab"]
        start, end = vocabulary["<start_of_text>"], vocabulary["<end_of_text>"]
        self.assertEqual(lists[0][:4], [start, vocabulary["cat</w>"], end, 0])
        self.assertEqual(lists[2][:3], [start, end, 0])
        self.assertEqual((lists[3][0], lists[3][-1]), (start, end))


class ModelsTest(ProgramTest):
    def test_list(self):
        models = self.succeed_json("models", "list")
        by_name = {model["name"]: model for model in models}
        registry = json.loads((ROOT / "src/models/config/registry.json").read_text())["models"]
        self.assertEqual(sorted(by_name), sorted(registry))
        self.assertEqual(by_name["ViT-B-32"]["parameters"], 151277313)
        self.assertIn("laion2b_s34b_b79k", by_name["ViT-B-32"]["tags"])
        text = self.succeed("models", "list")
        self.assertEqual(len(text.splitlines()), len(registry) + 1)

    def test_info_of_a_name(self):
        info = self.succeed_json("models", "info", "ViT-B/32")
        self.assertEqual((info["name"], info["embed_dim"], info["context_length"]),
                         ("ViT-B-32", 512, 77))
        openai = next(tag for tag in info["tags"] if tag["tag"] == "openai")
        self.assertTrue(openai["quick_gelu"])
        self.assertEqual(openai["preprocess"]["resize_mode"], "shortest")
        self.assertIn("QuickGELU", self.succeed("models", "info", "ViT-B-32"))

    def test_info_of_folders(self):
        info = self.succeed_json("models", "info", TINY)
        self.assertEqual((info["name"], info["embed_dim"], info["tags"]), ("tiny_model", 16, []))
        self.assertEqual(self.succeed_json("models", "info"), info)
        self.assertEqual(self.succeed_json("models", "info", f"local-dir:{TINY}"), info)

    def test_unknown_names_suggest_the_nearest(self):
        self.refuse(1, "models", "info", "ViT-B32", says="ViT-B-32")
        self.refuse(1, "tokenize", "--text", "x", "--model", "vit-l14", says="ViT-L-14")
        self.refuse(1, "tokenize", "--text", "x", "--model", "ViT-B-32", "--pretrained", "openay",
                  says="openai")
        self.refuse(1, "models", "info", "./absent", says="./absent")


class BenchTest(ProgramTest):
    KEYS = ["task", "model", "batch", "threads", "precision", "isa", "seconds", "items_per_s",
            "peak_rss_mb", "gflops", "machine_gflops", "share_of_peak", "items"]

    def check(self, result, task, model, batch):
        self.assertEqual(list(result), self.KEYS)
        self.assertEqual((result["task"], result["model"], result["batch"]), (task, model, batch))
        self.assertEqual(result["precision"], "f32")
        self.assertAlmostEqual(result["items_per_s"] * result["seconds"], batch, delta=0.02 * batch)
        self.assertGreater(result["machine_gflops"], 0)

    def test_tasks(self):
        for task in ("image", "text"):
            line = self.succeed("bench", "--task", task, "--batch", "3", "--seconds", "0.05",
                                "--json")
            self.assertEqual(line.count("\n"), 1)
            self.check(json.loads(line), task, "tiny_model", 3)

    def test_tasks_from_files(self):
        self.file("in/a.png", png(40, 30))
        self.file("in/b.png", png(30, 50))
        self.file("names.txt", "cat\ndog\nred house\n")
        for task, options, items in (
                ("zeroshot", ("--classes", "2", "--labels-file", "names.txt"), 160),
                ("zeroshot", ("--classes", "17"), 17 * 80), ("preprocess", ("--images", "in"), 2),
                ("embed", ("--images", "in"), 2), ("text", ("--captions", "5", "--batch", "4"), 4)):
            result = self.succeed_json("bench", "--task", task, "--seconds", "0.01", *options)
            self.assertEqual((result["task"], result["items"]), (task, items))
            self.assertEqual(result["batch"], {"embed": 32, "text": 4}.get(task, 1))
            self.assertEqual(result["gflops"] > 0, task != "preprocess")
        self.assertEqual(self.listing(), ["in", "names.txt"])

    def test_precisions(self):
        for precision in ("f32", "bf16", "int8"):
            result = self.succeed_json("bench", "--seconds", "0.05", "--precision", precision)
            self.assertEqual(result["precision"], precision)
        run = self.run_program("bench", "--seconds", "0.05", "--precision", "auto", "--json")
        picked = json.loads(run.stdout)["precision"]
        self.assertIn(f"note: precision {picked}: ", run.stderr)

    def test_random_weights(self):
        config = json.loads((TINY / "open_clip_config.json").read_text())["model_cfg"]
        self.file("small.json", json.dumps(config))
        self.succeed("bench", "--model", "small.json", "--seconds", "0.05", "--image-size", "96")
        result = self.succeed_json("bench", "--model", "small.json", "--seconds", "0.05")
        self.check(result, "image", "small", 1)

    def test_wrong_values(self):
        self.refuse(2, "bench", "--model", "RN50", "--image-size", "256", says="ResNet's positions")
        self.refuse(2, "bench", "--model", "ViT-B-32", "--image-size", "31", says="32, to 4096")
        self.refuse(2, "bench", "--task", "video", says="video")
        self.refuse(2, "bench", "--batch", "0", says="--batch")
        self.refuse(2, "bench", "--task", "embed", says="--images")
        self.refuse(2, "bench", "--task", "text", "--captions", "many", says="--captions")
        self.file("bad.png", b"nothing")
        self.refuse(1, "bench", "--task", "preprocess", "--images", "bad.png", says="bad.png")


if __name__ == "__main__":
    unittest.main()
