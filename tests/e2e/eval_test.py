"""eval: CLIP_benchmark's figures on its layout, class folders, captions, linear probes, the report."""
import json
import shutil
import unittest

from support import ROOT, ProgramTest, png

GOLDEN = ROOT / "tests/golden/eval"
COLOURS = {"black": (10, 10, 10), "blue": (40, 40, 230), "red": (230, 30, 30)}


class ClipBenchmarkTest(ProgramTest):
    """The same data and weights as tools/goldens/eval.py gave to CLIP_benchmark."""

    expected = json.loads((GOLDEN / "wds.json").read_text())

    def compare(self, result, name, task):
        self.assertEqual((result["dataset"], result["task"], result["language"]), (name, task, "en"))
        self.assertEqual((result["samples"], result["skipped"], result["split"]), (40, 0, "test"))
        self.assertEqual(set(result["metrics"]), set(self.expected[name]))
        for metric, value in self.expected[name].items():
            self.assertAlmostEqual(result["metrics"][metric], value, 6, metric)

    def test_classification(self):
        result = self.succeed_json("eval", "zeroshot", GOLDEN / "wds_classification")
        self.compare(result, "wds_classification", "zeroshot_classification")
        low, high = result["intervals"]["acc1"]
        self.assertTrue(low < result["metrics"]["acc1"] < high)

    def test_several_labels_a_picture(self):
        self.compare(self.succeed_json("eval", "zeroshot", GOLDEN / "wds_multilabel"),
                     "wds_multilabel", "zeroshot_classification")

    def test_retrieval(self):
        self.compare(self.succeed_json("eval", "retrieval", GOLDEN / "wds_retrieval",
                                       "--recall-k", 1, "--recall-k", 5),
                     "wds_retrieval", "zeroshot_retrieval")

    def test_damaged_samples_are_told_and_counted(self):
        shutil.copytree(GOLDEN / "wds_classification", self.dir / "wds")
        (self.dir / "wds/test/1.tar").write_bytes(b"no archive")
        done = self.run_program("eval", "zeroshot", "wds", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1.tar", done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["samples"], result["skipped"]), (20, 1))


class FoldersTest(ProgramTest):
    def pictures(self, split, count):
        for name, colour in COLOURS.items():
            for i in range(count):
                shade = [min(255, c + 7 * i) for c in colour]
                self.file(f"data/{split}/{name}/{i}.png",
                          png(32, 30 + i, lambda x, y: [(c + 3 * ((x + y) % 5)) % 256 for c in shade]))

    def test_linear_probe_learns_colours(self):
        self.pictures("train", 10)
        self.pictures("test", 4)
        for extra in ((), ("--c", 100), ("--shots", 5, "--seed", 3)):
            result = self.succeed_json("eval", "linear-probe", "data", *extra)
            self.assertGreater(result["metrics"]["lp_acc1"], 0.9, extra)  # chance is a third
            self.assertIsNone(result["metrics"]["lp_acc5"])
            self.assertEqual(result["samples"], 12)
        self.assertEqual(self.succeed_json("eval", "linear-probe", "data", "--c", 2)["metrics"]["c"], 2)
        self.refuse(2, "eval", "linear-probe", "data", "--shots", 11, says="only 10 training pictures")

    def test_table_and_file(self):
        self.pictures("val", 2)
        text = self.succeed("eval", "zeroshot", "data", "--split", "val", "--template", "{}",
                            "--out", "r.json")
        self.assertIn("acc1", text)
        self.assertIn("6 samples of data", text)
        self.assertEqual(json.loads((self.dir / "r.json").read_text())["split"], "val")

    def test_wrong_use(self):
        self.pictures("test", 1)
        self.refuse(2, "eval", says="--help")
        self.refuse(1, "eval", "zeroshot", "absent", says="absent")
        self.refuse(2, "eval", "retrieval", "data", says="captions")
        self.refuse(2, "eval", "zeroshot", GOLDEN / "wds_retrieval", says="retrieval")
        self.refuse(2, "eval", "zeroshot", "data", "--template", "a photo", says="{}")
        self.file("names.json", '{"black": "b"}')
        self.refuse(1, "eval", "zeroshot", "data", "--classes", "names.json", says="blue")
        self.file("names.json", '["black"]')
        self.refuse(1, "eval", "zeroshot", "data", "--classes", "names.json", says="names.json")
        self.refuse(1, "eval", "zeroshot", "data", "--out", "no/such/folder.json", says="no/such")


class ReportTest(ProgramTest):
    def test_compares_models_and_escapes_what_results_say(self):
        for name, value in (("a", .25), ("<b>", .5)):
            self.file(f"{name[-2:].strip('<>')}.json", json.dumps({
                "dataset": "d&d", "model": name, "pretrained": "", "task": "zeroshot_classification",
                "language": "en", "metrics": {"acc1": value, "acc5": None}}))
        self.succeed("eval", "report", "a.json", "b.json", "--out", "r.html")
        page = (self.dir / "r.html").read_text()
        self.assertIn("&lt;b&gt;", page)
        self.assertIn("d&amp;d", page)
        self.assertNotIn("<b>", page)
        self.assertIn('class="best">50.0', page)
        self.assertNotIn("acc5", page)
        self.file("bad.json", '{"dataset": "d"}')
        self.refuse(1, "eval", "report", "a.json", "bad.json", "--out", "s.html", says="bad.json")
        self.assertFalse((self.dir / "s.html").exists())


if __name__ == "__main__":
    unittest.main()
