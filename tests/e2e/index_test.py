"""openclip index and search: building, updating, killing, and asking."""
import io
import json
import os
import random
import signal
import sqlite3
import struct
import subprocess
import tarfile
import time
import unittest

from support import BINARY, ROOT, ProgramTest, png


def write_npy(path, rows):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header = header.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode()
                     + b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows))


class IndexTest(ProgramTest):
    def picture(self, name, seed):
        return self.file(name, png(16 + seed % 5, 16, lambda x, y: (
            (seed * 37 + x * 11) % 256, (seed * 91 + y * 7) % 256, seed * 53 % 256)))

    def index(self, *inputs, out="i", code=0):
        done = self.run_program("index", *inputs, "--out", out, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def counts(self, report):
        return [report[key] for key in ("added", "changed", "unchanged", "removed", "skipped")]

    def search(self, *arguments, index="i"):
        return self.succeed_json("search", index, *arguments)

    def names(self, hits):
        return [os.path.relpath(hit["path"], self.dir) for hit in hits]


class BuildTest(IndexTest):
    def test_incremental(self):
        for i in range(5):
            self.picture(f"in/{i}.png", i)
        self.assertEqual(self.counts(self.index("in")), [5, 0, 0, 0, 0])
        ids = {hit["path"]: hit["id"] for hit in self.search("--text", "x")}
        self.assertEqual(self.counts(self.index("in")), [0, 0, 5, 0, 0])
        self.picture("in/1.png", 77)                                    # other content
        os.utime(self.dir / "in/2.png", (1, 1))                         # other time only
        os.rename(self.dir / "in/3.png", self.dir / "in/moved.png")
        self.picture("in/new.png", 50)
        self.assertEqual(self.counts(self.index("in")), [2, 1, 3, 1, 0])
        after = {hit["path"]: hit["id"] for hit in self.search("--text", "x")}
        self.assertEqual(len(after), 6)
        for path, number in ids.items():
            if not path.endswith("3.png"):
                self.assertEqual(after[path], number)
        self.assertEqual(self.counts(self.index("in")), [0, 0, 6, 0, 0])
        # The index equals one made at once.
        self.index("in", out="fresh")
        self.assertEqual([(h["path"], round(h["score"], 5)) for h in self.search("--text", "x")],
                         [(h["path"], round(h["score"], 5))
                          for h in self.search("--text", "x", index="fresh")])
        self.assertIn("in order", self.succeed("index", "--check", "--out", "i"))

    def test_bad_files_are_named_and_skipped(self):
        self.picture("in/0.png", 0)
        self.file("in/1.png", b"not a picture")
        done = self.run_program("index", "in", "nowhere.png", "--out", "i")
        self.assertEqual(done.returncode, 1)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("1.png", lines[0])
        self.assertIn("nowhere.png", lines[1])
        self.assertEqual(len(self.search("--text", "x")), 1)
        # A picture that went bad is not found any more.
        self.file("in/0.png", b"damaged")
        self.run_program("index", "in", "--out", "i")
        self.assertEqual(self.search("--text", "x"), [])

    def test_webdataset(self):
        with tarfile.open(self.dir / "s.tar", "w") as tar:
            for key in range(3):
                for ext, data in (("json", json.dumps({"price": 10 * key}).encode()),
                                  ("png", (self.dir / self.picture("t.png", key)).read_bytes()),
                                  ("txt", f"caption {key}\n".encode())):
                    info = tarfile.TarInfo(f"00{key}.{ext}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        self.assertEqual(self.counts(self.index("s.tar")), [3, 0, 0, 0, 0])
        hits = self.search("--text", "x", "--where", "price >= 10")
        self.assertEqual(sorted((h["title"], h["fields"]["price"]) for h in hits),
                         [("caption 1", 10), ("caption 2", 20)])
        self.assertEqual(sorted(self.names(hits)), ["s.tar/001.png", "s.tar/002.png"])
        self.assertEqual(self.counts(self.index("s.tar")), [0, 0, 3, 0, 0])

    def test_hostile_members_of_an_archive(self):
        data = (self.dir / self.picture("t.png", 1)).read_bytes()
        with tarfile.open(self.dir / "s.tar", "w") as tar:
            for name in ("../up.png", "/etc/root.png", "a/../../b.png", "good.png"):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            for name, kind in (("link.png", tarfile.SYMTYPE), ("hard.png", tarfile.LNKTYPE), ("dev.png", tarfile.CHRTYPE)):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                tar.addfile(info)
        done = self.run_program("index", "s.tar", "--out", "i")
        self.assertEqual(done.returncode, 1)
        for name in ("up.png", "root.png", "b.png"):
            self.assertIn(name, done.stderr)
        self.assertEqual(self.names(self.search("--text", "x")), ["s.tar/good.png"])

    def test_lists_of_products(self):
        for i in range(3):
            self.picture(f"shop/{i}.png", i)
        self.file("shop/p.csv", "image,title,price,tags\n"
                  "0.png,\"Red dress, long\",12.5,a\n1.png,Blue,20,b\n0.png,Red again,13,\n")
        self.assertEqual(self.counts(self.index("shop/p.csv")), [3, 0, 0, 0, 0])
        hits = self.search("--text", "x", "--where", "price < 20")
        self.assertEqual({h["title"] for h in hits}, {"Red dress, long", "Red again"})
        # Another price is a change without work; a line that is gone is gone.
        self.file("shop/p.csv", "image,title,price,tags\n"
                  "0.png,\"Red dress, long\",11,a\n1.png,Blue,20,b\n")
        self.assertEqual(self.counts(self.index("shop/p.csv")), [0, 1, 1, 1, 0])
        self.assertEqual(self.search("--text", "x", "--where", "price = 11")[0]["title"],
                         "Red dress, long")
        self.file("shop/p.jsonl", '{"image": "2.png", "name": "Green", "colors": ["g", "h"]}\n'
                  '{"no": "picture"}\n{broken\n{"image": "http://x/y.png"}\n')
        report = self.index("shop/p.jsonl", out="j", code=1)
        self.assertEqual(self.counts(report), [1, 0, 0, 0, 3])
        self.assertEqual(self.search("--text", "x", "--where", "colors = h", index="j")[0]["title"],
                         "Green")

    def test_vectors(self):
        self.picture("in/0.png", 0)
        self.picture("in/1.png", 1)
        self.succeed("embed", "in", "--text", "cat", "--out", "f.npy")
        self.assertEqual(self.counts(self.index("f.npy")), [3, 0, 0, 0, 0])
        self.index("in", out="p")
        best = [(h["path"], round(h["score"], 4)) for h in self.search("--text", "y", index="p")]
        got = [(h["path"], round(h["score"], 4)) for h in self.search("--text", "y")]
        self.assertEqual([hit for hit in got if hit[0].endswith(".png")], best)
        self.assertEqual(self.counts(self.index("f.npy")), [0, 0, 3, 0, 0])

    def test_clip_retrieval_folder(self):
        folder = self.dir / "cr"
        (folder / "img_emb").mkdir(parents=True)
        (folder / "metadata").mkdir()
        for part in range(2):
            write_npy(folder / f"img_emb/img_emb_{part}.npy",
                      [[float(part == i), 1.0, 0.5, i] for i in range(3)])
            self.file(f"cr/metadata/metadata_{part}.jsonl", "".join(
                json.dumps({"image_path": f"/x/{part}_{i}.jpg", "caption": f"c{i}", "w": i}) + "\n"
                for i in range(3)))
        self.assertEqual(self.counts(self.index("cr")), [6, 0, 0, 0, 0])
        hits = self.search("--like", "/x/1_1.jpg", "--where", "w = 1")
        self.assertEqual([(h["path"], h["title"]) for h in hits], [("/x/0_1.jpg", "c1")])
        (folder / "metadata/metadata_0.jsonl").rename(folder / "metadata/metadata_0.parquet")
        done = self.run_program("index", "cr", "--out", "other")  # what is no Parquet file
        self.assertEqual(done.returncode, 1)
        self.assertIn("metadata_0.parquet: ", done.stderr)

    def test_faiss(self):
        golden = ROOT / "tests/golden/faiss"
        report = self.index(golden / "id_map_hnsw.index", golden / "flat_ip.index")
        self.assertEqual(self.counts(report), [12, 0, 0, 0, 0])
        hits = self.search("--like", f"{golden}/id_map_hnsw.index#12", "-k", "1")
        self.assertEqual(hits[0]["path"], f"{golden}/flat_ip.index#2")
        self.succeed("index", "--out", "i", "--export-faiss", "out.index")
        self.assertEqual(self.counts(self.index("out.index", out="again")), [12, 0, 0, 0, 0])
        try:
            import faiss
            import numpy
        except ImportError:
            self.skipTest("faiss-cpu is not installed: what it reads of our file is not tested")
        index = faiss.read_index(str(self.dir / "out.index"))
        rows = numpy.sin(1 + numpy.arange(24.0)).reshape(6, 4)[3:4]
        scores, ids = index.search((rows / numpy.linalg.norm(rows)).astype("float32"), 2)
        self.assertEqual(sorted(ids[0]), [4, 10])
        self.assertAlmostEqual(scores[0][0], 1, places=5)

    def test_refusals(self):
        self.picture("in/0.png", 0)
        self.index("in")
        self.refuse(2, "index", "--out", "i", says="nothing to index")
        self.refuse(1, "search", "nowhere", "--text", "x", says="no index is here")
        self.refuse(2, "search", "i", says="nothing is searched for")
        self.refuse(2, "search", "i", "--text", "x", "--where", "price", says="price")
        self.refuse(1, "search", "i", "--like", "99", says="99")
        self.refuse(1, "search", "i", "--like", "x.png", says="x.png")
        self.refuse(2, "search", "i", "--query", '"a" +', says="query")
        write_npy(self.dir / "w.npy", [[1.0, 2.0]])
        self.refuse(1, "index", "w.npy", "--out", "i", says=["16", "2"])

    def test_another_model_is_refused(self):
        self.picture("in/0.png", 0)
        self.index("in")
        model = self.copy_model()
        weights = model / "open_clip_model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-3] ^= 1
        weights.write_bytes(data)
        self.refuse(2, "search", "i", "--text", "x", "--model", f"local-dir:{model}",
                    says="was made with the model")
        self.refuse(1, "index", "in", "--out", "i", "--model", f"local-dir:{model}",
                    says="was made with the model")


class SearchTest(IndexTest):
    def setUp(self):
        super().setUp()
        for i in range(4):
            self.picture(f"in/{i}.png", i)
        self.file("in/copy.png", (self.dir / "in/2.png").read_bytes())
        self.index("in")

    def test_a_picture_finds_itself(self):
        hits = self.search("--image", "in/1.png", "-k", "1")
        self.assertEqual(self.names(hits), ["in/1.png"])
        self.assertAlmostEqual(hits[0]["score"], 1, places=5)

    def test_like_leaves_out_what_is_liked(self):
        names = self.names(self.search("--like", self.dir / "in/2.png"))
        self.assertEqual(names[0], "in/copy.png")
        self.assertNotIn("in/2.png", names)

    def test_sheet(self):
        hits = self.search("--text", "a red thing", "-k", "4", "--sheet", "sheet.png")
        self.assertEqual(len(hits), 4)
        data = (self.dir / "sheet.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        # Two columns and rows of 192 pixels with gaps of 12, lines below each and a heading.
        self.assertEqual((int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")),
                         (2 * 204 + 12, 12 + 44 + 2 * (192 + 40 + 12)))
        self.refuse(1, "search", "i", "--text", "x", "--sheet", "absent/x.png", says="absent/x.png", out=None)
        self.refuse(1, "search", "i", "--text", "x", "--where", "path = nothing", "--sheet", "none.png",
                    says="no sheet", out=None)
        self.assertFalse((self.dir / "none.png").exists())

    def test_folding_and_cut(self):
        hits = self.search("--image", "in/2.png", "--fold", "0.9999")
        self.assertEqual(len(hits[0]["folded"]), 1)
        self.assertEqual(len(self.search("--image", "in/2.png", "--relative-cut", "0.99999")), 2)

    def test_weights(self):
        plain = self.search("--text", "a", "--text", "b")
        query = self.search("--query", '"a" + "b"')
        self.assertEqual(self.names(plain), self.names(query))
        away = self.search("--query", "-1 image:in/0.png")
        self.assertEqual(self.names(away)[-1], "in/0.png")

    def test_vectors_ask_one_by_one(self):
        self.succeed("embed", "in/0.png", "in/3.png", "--out", "q.npy")
        lists = json.loads(self.succeed("search", "i", "--vectors", "q.npy", "-k", "1"))
        self.assertEqual([self.names(hits) for hits in lists], [["in/0.png"], ["in/3.png"]])


class KillTest(IndexTest):
    """kill -9 at random moments of indexing: no row is lost, doubled or torn."""

    ROWS, DIM, KILLS, SEED = 3000, 16, 20, 6

    def setUp(self):
        super().setUp()
        random.seed(self.SEED)
        self.rows = [[random.gauss(0, 1) for _ in range(self.DIM)] for _ in range(self.ROWS)]
        write_npy(self.dir / "v.npy", self.rows)
        for i in range(40):
            self.picture(f"in/{i}.png", i)
        self.arguments = ["in", "v.npy", "--batch", "4", "--commit-seconds", "0.002"]

    def run_index(self, kill_after=None):
        """Seconds that it took."""
        process = subprocess.Popen([BINARY, "index", *self.arguments, "--out", "i"], cwd=self.dir,
                                   env=self.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        began = time.monotonic()
        try:
            process.wait(timeout=kill_after)
            self.assertEqual(process.returncode, 0, process.stderr.read())
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stderr.close()
        return time.monotonic() - began

    def state(self):
        """path -> (id, hash) of what is committed, every row compared with its vector."""
        if not (self.dir / "i/index.sqlite").exists():
            return {}
        db = sqlite3.connect(self.dir / "i/index.sqlite")
        try:
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables == 0:
                return {}
            rows = db.execute("SELECT path, id, hash, slot FROM items").fetchall()
            slots = int(db.execute("SELECT value FROM state WHERE key = 'slots'").fetchone()[0])
        finally:
            db.close()
        data = (self.dir / "i/vectors.ocv").read_bytes()
        block = 256 * (4 * self.DIM + 20)
        self.assertEqual(len({row[3] for row in rows}), len(rows), "two items share a slot")
        for path, number, _, slot in rows:
            self.assertLess(slot, slots)
            base = 4096 + slot // 256 * block
            at = base + slot % 256 * 4 * self.DIM
            vector = struct.unpack_from(f"<{self.DIM}f", data, at)
            in_file = struct.unpack_from("<q", data, base + 256 * (4 * self.DIM + 4)
                                         + slot % 256 * 8)[0]
            self.assertEqual(in_file, number, path)
            if "#" in path:
                want = self.rows[int(path.split("#")[1])]
                length = sum(x * x for x in want) ** 0.5
                for x, y in zip(vector, want):
                    self.assertAlmostEqual(x, y / length, places=5)
            else:
                self.assertAlmostEqual(sum(x * x for x in vector), 1, places=4)
        return {row[0]: row[1:3] for row in rows}

    def test_kill(self):
        self.index(*self.arguments, out="whole")
        whole = {h["path"]: h["score"] for h in self.search("--text", "x", "-k", 9999,
                                                            index="whole")}
        began = time.monotonic()
        self.succeed("index", *self.arguments, "--out", "timing")
        full = time.monotonic() - began
        before, kills, partial = {}, 0, 0
        rounds = 0
        while kills < self.KILLS:
            rounds += 1
            self.assertLess(rounds, 400)
            if len(before) == len(whole):  # done: begin anew
                for path in (self.dir / "i").iterdir():
                    path.unlink()
                before = {}
            self.run_index(kill_after=random.uniform(0.01, 0.6 * full))
            after = self.state()
            for path, row in before.items():
                self.assertEqual(after.get(path), row, "a committed row was lost or changed")
            kills += len(after) < len(whole)
            partial += 0 < len(after) < len(whole)
            before = after
        self.assertGreater(partial, self.KILLS // 4, "the kills came too early to mean anything")
        self.run_index()
        self.assertEqual(set(self.state()), set(whole))
        self.assertIn("in order", self.succeed("index", "--check", "--out", "i"))
        for hit in self.search("--text", "x", "-k", 9999):
            self.assertAlmostEqual(hit["score"], whole[hit["path"]], places=5)


if __name__ == "__main__":
    unittest.main()
