"""openclip embed and preprocess: rows, their order, their names, and outputs that cannot be written."""
import io
import json
import math
import os
import resource
import subprocess
import tarfile
import unittest

from support import BINARY, ProgramTest, png, read_jsonl, read_npy


class EmbedTest(ProgramTest):
    def setUp(self):
        super().setUp()
        for i in range(3):
            self.file(f"in/sub{2 - i}/{i}.png", png(20 + i, 30, lambda x, y, i=i: (80 * i, x, y)))
        self.file("in/notes.txt", "not a picture")

    def rows(self, path):
        (count, dim), values = read_npy(path)
        return [values[i * dim:(i + 1) * dim] for i in range(count)]

    def test_rows_come_in_input_order(self):
        self.succeed("embed", "in/sub1/1.png", "in", "--text", "cat", "--text", "a dog", "--out",
                     self.dir / "f.npy")
        lines = read_jsonl(self.dir / "f.jsonl")
        self.assertEqual([line["row"] for line in lines], list(range(6)))
        self.assertEqual([line.get("image") or line["text"] for line in lines],
                         ["in/sub1/1.png", "in/sub0/2.png", "in/sub1/1.png", "in/sub2/0.png", "cat",
                          "a dog"])
        rows = self.rows(self.dir / "f.npy")
        self.assertEqual([len(row) for row in rows], [16] * 6)
        for row in rows:
            self.assertAlmostEqual(math.sqrt(sum(x * x for x in row)), 1, places=5)
        for x, y in zip(rows[0], rows[2]):
            self.assertAlmostEqual(x, y, places=5)

    def test_batches_change_nothing(self):
        self.succeed("embed", "in", "--out", "a.npy", "--batch", "1")
        self.succeed("embed", "in", "--out", "b.npy", "--batch", "64", "--threads", "1")
        for row, other in zip(self.rows(self.dir / "a.npy"), self.rows(self.dir / "b.npy")):
            for x, y in zip(row, other):
                self.assertAlmostEqual(x, y, places=5)

    def bits(self, path):
        return (self.dir / path).read_bytes()

    def test_same_input_gives_the_same_bits(self):
        for name in ("a", "b"):
            self.succeed("embed", "in", "in", "--text", "cat", "--text", "a cat", "--out", f"{name}.npy")
        self.assertEqual(self.bits("a.npy"), self.bits("b.npy"))
        self.assertEqual(self.bits("a.jsonl"), self.bits("b.jsonl"))

    def test_company_and_threads_change_no_bit_of_a_text(self):
        texts = ["a photo of a cat", "a photo of a dog", "cat", "a photo", "a photo of a cat"]
        self.file("t.txt", "\n".join(texts))
        self.succeed("embed", "--text-file", "t.txt", "--out", "all.npy", "--threads", "2")
        rows = self.rows(self.dir / "all.npy")
        for text, row in zip(texts, rows):
            self.succeed("embed", "--text", text, "--out", "one.npy", "--threads", "1")
            self.assertEqual(self.rows(self.dir / "one.npy"), [row])

    def test_equal_pictures_have_equal_rows(self):
        self.succeed("embed", "in", "in", "in/sub0", "--out", "a.npy", "--batch", "2")
        rows = self.rows(self.dir / "a.npy")
        self.assertEqual(rows[:3], rows[3:6])
        self.assertEqual(rows[0], rows[6])

    def test_memory_does_not_grow_with_the_number_of_pictures(self):
        peaks = []
        for count in (1000, 5000):
            with tarfile.open(self.dir / "many.tar", "w") as tar:
                for i in range(count):
                    data = png(8, 8, lambda x, y: (i % 256, i // 256, 9 * x + y))
                    info = tarfile.TarInfo(f"{i:05}.png")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            process = subprocess.Popen([BINARY, "embed", "many.tar", "--out", "m.npy", "--quiet"],
                                       cwd=self.dir, env=self.env)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(len(self.rows(self.dir / "m.npy")), count)
            peaks.append(usage.ru_maxrss)
        # Features of some thousand pictures are kept, to know equal ones: 16 numbers here.
        self.assertLess(peaks[1] - peaks[0], 4096, peaks)

    def test_no_normalize(self):
        self.succeed("embed", "in", "--text", "x", "--out", "raw.npy", "--no-normalize")
        self.succeed("embed", "in", "--text", "x", "--out", "unit.npy")
        for raw, unit in zip(self.rows(self.dir / "raw.npy"), self.rows(self.dir / "unit.npy")):
            norm = math.sqrt(sum(x * x for x in raw))
            for x, y in zip(raw, unit):
                self.assertAlmostEqual(x / norm, y, places=5)

    def test_text_file_keeps_every_line(self):
        self.file("t.txt", "cat\n\ndog\r\nred cat")
        self.succeed("embed", "--text", "first", "--text-file", "t.txt", "--out", "t.npy")
        self.assertEqual([line["text"] for line in read_jsonl(self.dir / "t.jsonl")],
                         ["first", "cat", "", "dog", "red cat"])

    def test_archive(self):
        with tarfile.open(self.dir / "s.tar", "w") as tar:
            for name, data in (("k1.png", png(9, 9)), ("k1.txt", b"words"), ("k0.png", b"bad"),
                               ("k2.PNG", png(9, 9))):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        done = self.run_program("embed", "s.tar", "--out", "s.npy", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("s.tar/k0.png", done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual((summary["rows"], summary["skipped"]), (2, 1))
        self.assertEqual([(x["archive"], x["member"]) for x in read_jsonl(self.dir / "s.jsonl")],
                         [("s.tar", "k1.png"), ("s.tar", "k2.PNG")])

    def test_unreadable_inputs_are_reported_and_skipped(self):
        self.file("bad.png", b"nothing")
        self.file("bad.tar", b"no archive")
        (self.dir / "empty").mkdir()
        done = self.run_program("embed", "bad.png", "absent", "bad.tar", "empty", "in", "--out",
                                "f.npy", "--quiet")
        self.assertEqual(done.returncode, 1)
        for name in ("bad.png", "absent", "bad.tar", "empty"):
            self.assertEqual(sum(name in line for line in done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(len(self.rows(self.dir / "f.npy")), 3)

    def test_nothing_to_embed(self):
        self.refuse(2, "embed", "--out", "f.npy", says="--text")
        self.refuse(2, "embed", "in", says="--out")

    def test_preprocess(self):
        self.succeed("preprocess", "in", "--out", "p.npy")
        shape, values = read_npy(self.dir / "p.npy")
        self.assertEqual(shape, (3, 3, 32, 32))
        self.assertTrue(all(-1 <= x <= 1 for x in values))
        self.file("bad.png", b"nothing")
        self.refuse(1, "preprocess", "bad.png", "in", "--out", "q.npy", "--quiet", says="bad.png")
        self.assertEqual(read_npy(self.dir / "q.npy")[0], (3, 3, 32, 32))

    def test_output_that_cannot_be_written_leaves_nothing(self):
        self.file("out.npy/keep", "a folder")
        for command in ("embed", "preprocess"):
            self.refuse(1, command, "in", "--out", "absent/f.npy", "--quiet", says="absent/f")
            self.refuse(1, command, "in", "--out", "out.npy", "--quiet", says="out")
        self.assertEqual(self.listing(), ["in", "out.npy"])

    def test_disk_full_leaves_nothing(self):
        # A limit on the size of files stands for a full disk: both end as a failed write.
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
        for i in range(40):
            self.file(f"many/{i}.png", png(8, 8))
        for command in ("embed", "preprocess"):
            done = self.run_program(command, "many", "--out", "full.npy", "--quiet",
                                    preexec_fn=limit)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("full", done.stderr)
            self.assertEqual(self.listing(), ["in", "many"])

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_full_stdout_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "tokenize", "--text", "cat"], cwd=self.dir, env=self.env,
                                  stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
