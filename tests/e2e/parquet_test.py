"""Parquet files: lists, clip-retrieval's metadata, curate's columns. Golden files are pyarrow's."""
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import unittest

from index_test import IndexTest, write_npy
from support import BINARY, ROOT, png

GOLDEN = ROOT / "tests/golden/parquet"
MODULE = pathlib.Path(BINARY).parent / "openclip_parquet.so"


class ParquetTest(IndexTest):
    def test_a_list(self):
        for i in range(3):
            self.picture(f"{i}.png", i)
        shutil.copy(GOLDEN / "products.parquet", self.dir)
        self.assertEqual(self.counts(self.index("products.parquet")), [3, 0, 0, 0, 0])
        hits = {os.path.basename(hit["path"]): hit for hit in self.search("--text", "x")}
        self.assertEqual(hits["0.png"]["title"], "first")
        # Every kind of column that pyarrow wrote; what is null is no field.
        expected = json.loads((GOLDEN / "products.json").read_text())
        self.assertEqual([hits[f"{i}.png"].get("fields", {}) for i in range(3)], expected)
        self.assertEqual(self.names(self.search("--text", "x", "--where", "tags = red")), ["0.png"])

    def test_clip_retrieval_folder(self):
        (self.dir / "cr/img_emb").mkdir(parents=True)
        (self.dir / "cr/metadata").mkdir()
        write_npy(self.dir / "cr/img_emb/img_emb_0.npy", [[float(i == j) for j in range(4)] for i in range(3)])
        shutil.copy(GOLDEN / "metadata_0.parquet", self.dir / "cr/metadata")
        self.assertEqual(self.counts(self.index("cr")), [3, 0, 0, 0, 0])
        hits = self.search("--like", "/x/1.jpg", "-k", "1", "--where", "width > 10")
        self.assertEqual([(hit["path"], hit["title"]) for hit in hits], [("/x/2.jpg", "c2")])

    def test_columns_of_curate(self):
        with tarfile.open(self.dir / "0.tar", "w") as tar:
            for i in range(3):
                for extension, data in (("png", png(20, 20)), ("txt", b"a caption"), ("json", b"{}")):
                    info = tarfile.TarInfo(f"{i}.{extension}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        for _ in range(2):  # the second time it is made for a shard that was finished before
            self.succeed("curate", "0.tar", "--out", "out", "--parquet", "--min-similarity", "-1")
            self.assertEqual((self.dir / "out/columns/0.parquet").read_bytes()[:4], b"PAR1")
            os.remove(self.dir / "out/columns/0.parquet")

    def test_damage(self):
        data = (GOLDEN / "products.parquet").read_bytes()
        for i in range(3):
            self.picture(f"{i}.png", i)
        for at in range(4, len(data), 61):
            damaged = bytearray(data)
            damaged[at] ^= 0xFF
            self.file("d.parquet", bytes(damaged))
            done = self.run_program("index", "d.parquet", "--out", "d")
            self.assertIn(done.returncode, (0, 1), f"byte {at}: {done.stderr}")
        for name, content in (("cut.parquet", data[:len(data) // 2]), ("text.parquet", b"hello"),
                              ("none.parquet", b"")):
            self.file(name, content)
            done = self.run_program("index", name, "--out", "d2")
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 2, done.stderr)  # the file, and how many were skipped
            self.assertIn(name, done.stderr.splitlines()[0])

    def test_it_is_told_where_the_module_is_not_there(self):
        alone = self.dir / "bin"
        alone.mkdir()
        shutil.copy(BINARY, alone)
        shutil.copy(GOLDEN / "products.parquet", self.dir)
        done = subprocess.run([alone / "openclip", "index", "products.parquet", "--out", "i"], cwd=self.dir,
                              env=self.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("built without Parquet", done.stderr)
        self.assertIn("to_json", done.stderr)


if __name__ == "__main__":
    if not MODULE.exists():
        print(f"SKIPPED: {MODULE} was not built")
        sys.exit(77)
    unittest.main()
