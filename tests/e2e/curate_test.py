"""curate: rules, planted copies and mismatches, resuming, hostile archives, shares of many machines."""
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import time
import unittest

from support import BINARY, ROOT, ProgramTest, png, read_jsonl, read_npy

sys.path.insert(0, str(ROOT / "tools/curation"))
import planted  # noqa: E402

MODEL = ROOT / "models/default"
NAMES = {"cat": "cat", "guitar": "guitar", "umbrella": "umbrella", "mushroom": "mushroom",
         "envelope": "envelope", "heart": "red heart", "house": "house", "car": "taxi"}


def sample(name):
    return (ROOT / "samples" / f"{name}.png").read_bytes()


class CurateTest(ProgramTest):
    def shard(self, name, samples):
        """samples: [(key, {extension: bytes or text})]"""
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(self.dir / name, "w") as tar:
            for key, parts in samples:
                for extension, data in parts.items():
                    data = data if isinstance(data, bytes) else data.encode()
                    info = tarfile.TarInfo(f"{key}.{extension}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        return name

    def columns(self, out, name):
        return {row["key"]: row for row in read_jsonl(self.dir / out / f"columns/{name}.jsonl")}

    def members(self, out, name):
        with tarfile.open(self.dir / out / f"shards/{name}.tar") as tar:
            return [member.name for member in tar]

    def pairs(self):
        return [(f"p{i}", {"png": sample(name), "txt": caption, "json": json.dumps({"url": name})})
                for i, (name, caption) in enumerate(NAMES.items())]


class RulesTest(CurateTest):
    def test_similarity_tells_mismatched_captions(self):
        pairs = self.pairs()
        wrong = [(f"w{i}", {"png": sample(name), "txt": "postal horn"})
                 for i, name in enumerate(NAMES)]
        self.shard("in/0.tar", pairs + wrong)
        summary = self.succeed_json("curate", "in", "--out", "out", "--min-similarity", 0.3,
                                    "--model", MODEL)
        rows = self.columns("out", "0")
        kept = {key for key, row in rows.items() if row["kept"]}
        self.assertGreaterEqual(len([k for k in kept if k.startswith("p")]), 6)
        self.assertEqual([k for k in kept if k.startswith("w")], [])
        self.assertEqual(summary["kept"], len(kept))
        self.assertEqual(summary["left_out"], {"similarity": 16 - len(kept)})
        self.assertEqual(sorted(self.members("out", "0")),
                         sorted(f"{k}.{e}" for k in kept for e in ("json", "png", "txt")))
        self.assertIn(f"{len(kept)} of 16 pairs kept", (self.dir / "out/report.html").read_text())
        self.assertEqual(json.loads((self.dir / "out/summary.json").read_text())["kept"], len(kept))

    def test_members_keep_their_bytes(self):
        self.shard("0.tar", self.pairs())
        self.succeed("curate", "0.tar", "--out", "out", "--model", MODEL)
        with tarfile.open(self.dir / "out/shards/0.tar") as tar:
            self.assertEqual(tar.extractfile("p0.png").read(), sample("cat"))

    def test_rules_without_the_model(self):
        self.shard("0.tar", [
            ("small", {"png": png(20, 40), "txt": "a picture of noise"}),
            ("long", {"png": png(120, 40), "txt": "a picture of noise"}),
            ("brief", {"png": png(40, 40), "txt": "猫"}),
            ("mute", {"png": png(40, 40), "txt": " \n"}),
            ("blind", {"txt": "no picture"}),
            ("bad", {"png": b"no picture", "txt": "damaged"}),
            ("marked", {"png": png(40, 40), "txt": "fine text", "json": '{"pwatermark": 0.9}'}),
            ("unsafe", {"png": png(40, 40), "txt": "fine text", "json": '{"punsafe": 0.9}'}),
            ("caption", {"png": png(40, 40), "json": '{"caption": "from json"}'})])
        done = self.run_program("curate", "0.tar", "--out", "out", "--min-side", 30, "--max-aspect", 2,
                                "--min-caption", 3, "--max-watermark", 0.8, "--max-unsafe", 0.5)
        self.assertEqual(done.returncode, 1)  # a picture was damaged
        self.assertIn("bad", done.stderr)
        reasons = {key: row["reason"] for key, row in self.columns("out", "0").items()}
        self.assertEqual(reasons, {
            "small": "side", "long": "aspect", "brief": "caption_short", "mute": "no_caption",
            "blind": "no_picture", "bad": "no_picture", "marked": "watermark", "unsafe": "unsafe",
            "caption": ""})
        self.assertEqual(self.columns("out", "0")["caption"]["caption"], "from json")

    def test_tags(self):
        self.shard("0.tar", self.pairs())
        self.succeed("curate", "0.tar", "--out", "out", "--tags", "guitar,house,red heart",
                     "--reject-tags", "guitar", "--model", MODEL)
        rows = self.columns("out", "0")
        self.assertEqual(rows["p1"]["reason"], "tag")
        self.assertEqual(rows["p1"]["tags"][0], "guitar")
        self.assertEqual(len(rows["p0"]["tags"]), 2)
        self.refuse(2, "curate", "0.tar", "--out", "o", "--tags", "a", "--reject-tags", "b", says="'b'")


class CopiesTest(CurateTest):
    def test_of_copies_the_first_is_kept(self):
        pairs = self.pairs()
        again = [(f"q{i}", {"png": parts["png"], "txt": "once more"})
                 for i, (_, parts) in enumerate(pairs[:3])]
        self.shard("in/a.tar", pairs + again[:1])
        self.shard("in/b.tar", again[1:])
        self.succeed("curate", "in", "--out", "out", "--duplicates", 0.99, "--model", MODEL)
        rows = {**self.columns("out", "a"), **self.columns("out", "b")}
        self.assertEqual([rows[f"q{i}"]["reason"] for i in range(3)], ["duplicate"] * 3)
        self.assertEqual([rows[f"q{i}"]["duplicate_of"] for i in range(3)], ["a/p0", "a/p1", "a/p2"])
        self.assertTrue(all(rows[f"p{i}"]["kept"] for i in range(len(pairs))))

    def test_pictures_of_a_test_set_are_left_out(self):
        self.file("held/a.png", sample("guitar"))
        self.succeed("embed", "held", "--out", "held.npy", "--model", MODEL)
        self.shard("0.tar", self.pairs())
        self.succeed("curate", "0.tar", "--out", "out", "--decontaminate", "held.npy", "--model", MODEL)
        rows = self.columns("out", "0")
        self.assertEqual([k for k, row in rows.items() if row["reason"] == "contaminated"], ["p1"])
        self.refuse(1, "curate", "0.tar", "--out", "o", "--decontaminate", "held.npy",
                    says="this model's features")

    def test_killed_and_resumed_as_if_it_had_not_been(self):
        for i in range(12):
            self.shard(f"in/{i:02}.tar", [
                (f"s{i}_{n}", {"png": png(30, 30, lambda x, y: ((x * (i + 1) + n * 40) % 256, y * 8 % 256, n * 60 % 256)),
                               "txt": f"pattern {n}"}) for n in range(20)])
        options = ("curate", "in", "--duplicates", 0.999, "--model", MODEL, "--threads", 1)
        self.succeed(*options, "--out", "whole")
        for pause in (0.03, 0.08, 0.15, 0.3):
            process = subprocess.Popen([BINARY, *map(str, options), "--out", "cut"], cwd=self.dir,
                                       env=self.env, stderr=subprocess.DEVNULL)
            time.sleep(pause)
            process.kill()
            process.wait()
        self.succeed(*options, "--out", "cut")
        for path in sorted((self.dir / "whole").rglob("*.*")):
            other = self.dir / "cut" / path.relative_to(self.dir / "whole")
            self.assertEqual(path.read_bytes(), other.read_bytes(), path.name)
        left = [p.name for p in (self.dir / "cut").rglob("*") if p.is_file()]
        self.assertTrue(all(p.name in left for p in (self.dir / "whole").rglob("*.*")))

    def test_other_rules_do_not_mix_with_a_begun_folder(self):
        self.shard("0.tar", self.pairs()[:1])
        self.succeed("curate", "0.tar", "--out", "out")
        self.refuse(2, "curate", "0.tar", "--out", "out", "--min-side", 9, says="min_side")
        self.succeed("curate", "0.tar", "--out", "out")


class ShardsTest(CurateTest):
    def test_machines_share_the_shards(self):
        for i in range(3):
            self.shard(f"in/{i}.tar", self.pairs()[i:i + 1])
        self.succeed("curate", "in", "--out", "out", "--shard", "1/2")
        self.assertEqual([p.name for p in (self.dir / "out/shards").iterdir()], ["1.tar"])
        summary = self.succeed_json("curate", "in", "--out", "out", "--shard", "0/2")
        self.assertEqual(summary["shards"], 2)
        self.assertEqual(json.loads((self.dir / "out/summary.json").read_text())["pairs"], 3)
        for wrong in ("2/2", "1", "a/b", "-1/2", "0/0", "1/2x"):
            self.refuse(2, "curate", "in", "--out", "o", "--shard", wrong, says="I/N")

    def test_hostile_members_are_refused(self):
        with tarfile.open(self.dir / "0.tar", "w") as tar:
            for name in ("../evil.png", "/etc/evil.png", "good.png", "good.txt"):
                data = b"a cat" if name.endswith("txt") else sample("cat")
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        done = self.run_program("curate", "0.tar", "--out", "out")
        self.assertEqual(done.returncode, 1)
        self.assertIn("evil", done.stderr)
        self.assertEqual(sorted(self.members("out", "0")), ["good.png", "good.txt"])

    def test_shards_that_are_none(self):
        self.file("bad.tar", "no archive")
        self.shard("0.tar", self.pairs()[:1])
        done = self.run_program("curate", "bad.tar", "0.tar", "--out", "out")
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.tar", done.stderr)
        self.assertFalse((self.dir / "out/columns/bad.jsonl").exists())
        self.assertEqual(len(self.columns("out", "0")), 1)
        self.refuse(1, "curate", "absent.tar", "--out", "out", says="absent.tar")
        (self.dir / "empty").mkdir()
        self.refuse(1, "curate", "empty", "--out", "out", says="no .tar")
        self.shard("other/0.tar", self.pairs()[:1])
        self.refuse(2, "curate", "0.tar", "other/0.tar", "--out", "out", says="0.tar")
        self.file("file", "x")
        self.refuse(1, "curate", "0.tar", "--out", "file/out", says="file/out")

    def test_features_are_those_of_embed(self):
        self.shard("0.tar", self.pairs()[:2])
        self.succeed("curate", "0.tar", "--out", "out", "--duplicates", 0.999)
        self.succeed("embed", "0.tar", "--out", "e.npy")
        shape, values = read_npy(self.dir / "out/features/0.npy")
        expected_shape, expected = read_npy(self.dir / "e.npy")
        self.assertEqual(shape, expected_shape)
        for a, b in zip(values, expected):
            self.assertAlmostEqual(a, b, 5)

    def test_planted_faults_are_counted_by_rule(self):
        kinds = {"a": "clean", "b": "mismatch", "c": "duplicate", "d": "unsafe", "e": "mismatch"}
        rows = [{"key": "a", "similarity": 0.05, "punsafe": 0.1},  # said to be a mismatch, and is none
                {"key": "b", "similarity": 0.01, "punsafe": 0.1, "near_duplicate": 0.2},
                {"key": "c", "similarity": 0.4, "punsafe": 0.1, "near_duplicate": 0.99},
                {"key": "d", "similarity": 0.4, "punsafe": 0.9, "near_duplicate": 0.97},
                {"key": "e", "similarity": 0.4, "punsafe": 0.1}]
        rules = {"min_similarity": 0.1, "duplicate": 0.98, "max_unsafe": "0.5"}
        self.assertEqual(list(planted.score(kinds, rows, rules)),
                         [("mismatch", 2, 2, 1), ("duplicate", 1, 1, 1), ("unsafe", 1, 1, 1)])


if __name__ == "__main__":
    unittest.main()
