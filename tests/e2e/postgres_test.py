"""An index in PostgreSQL: the same commands, several processes at once, kills, restarts."""
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

from postgres_support import PostgresServer
import serve_support
from support import BINARY, ProgramTest, png

SERVER = None  # started below


class PostgresTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.database = self._testMethodName
        self.url = SERVER.create(self.database)

    def picture(self, name, seed):
        return self.file(name, png(16 + seed % 5, 16, lambda x, y: (
            (seed * 37 + x * 11) % 256, (seed * 91 + y * 7) % 256, seed * 53 % 256)))

    def index(self, *inputs, out=None):
        return self.succeed_json("index", *inputs, "--out", out or self.url)

    def paths(self, index, *arguments):
        return [hit["path"] for hit in self.succeed_json("search", index, *arguments)]

    def test_the_same_as_a_folder(self):
        for i in range(12):
            self.picture(f"in/{i}.png", i)
        report = self.index("in")
        self.assertEqual([report["added"], report["items"]], [12, 12])
        self.index("in", out="folder")
        for query in (["--text", "x"], ["--image", "in/3.png", "-k", "5"], ["--like", "4"]):
            self.assertEqual(self.paths(self.url, *query), self.paths("folder", *query))
        self.picture("in/1.png", 77)
        os.remove(self.dir / "in/2.png")
        report = self.index("in")
        self.assertEqual([report[k] for k in ("added", "changed", "unchanged", "removed")],
                         [0, 1, 10, 1])
        checked = self.run_program("index", "--check", "--out", self.url)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertIn("11 items, in order", checked.stdout)

    def test_several_indices_in_one_database(self):
        for schema in ("shop", "museum"):
            SERVER.sql(f"CREATE SCHEMA {schema}", self.database)
        SERVER.sql("CREATE EXTENSION vector", self.database)
        self.picture("a/1.png", 1)
        self.picture("b/2.png", 2)
        self.picture("b/3.png", 3)
        urls = [self.url + f"?options=-csearch_path%3D{schema}%2Cpublic" for schema in ("shop", "museum")]
        self.index("a", out=urls[0])
        self.index("b", out=urls[1])
        self.assertEqual([len(self.paths(url, "--text", "x")) for url in urls], [1, 2])

    def test_processes_fill_it_together_and_one_at_a_time_a_folder(self):
        for folder in "abc":
            for i in range(30):
                self.picture(f"{folder}/{i}.png", ord(folder) * 100 + i)
        running = [subprocess.Popen([BINARY, "index", folder, "--out", self.url, "--batch", "4"],
                                    cwd=self.dir, env=self.env, stdout=subprocess.DEVNULL)
                   for folder in "abc"]
        self.assertEqual([process.wait(timeout=120) for process in running], [0, 0, 0])
        self.assertEqual(len(self.paths(self.url, "--text", "x", "-k", "1000")), 90)

    def test_kills_lose_and_double_nothing(self):
        random.seed(8)
        for i in range(60):
            self.picture(f"in/{i}.png", i)
        for _ in range(8):
            process = subprocess.Popen([BINARY, "index", "in", "--out", self.url, "--batch", "2"],
                                       cwd=self.dir, env=self.env, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, 0.25))
            process.send_signal(signal.SIGKILL)
            process.wait()
            if SERVER.sql("SELECT to_regclass('openclip_items')", self.database):
                rows = SERVER.sql("SELECT count(*), count(DISTINCT path) FROM openclip_items",
                                  self.database).split("|")
                self.assertEqual(rows[0], rows[1])
                # What is there is whole.
                self.assertIn("in order", self.run_program("index", "--check", "--out", self.url).stdout)
        for _ in range(50):  # the server lets go of a killed process's folder when it notices
            done = self.run_program("index", "in", "--out", self.url, "--json")
            if "another process is indexing" not in done.stderr:
                break
            time.sleep(0.1)
        self.assertEqual(json.loads(done.stdout)["items"], 60)
        self.index("in", out="folder")
        self.assertEqual(self.paths(self.url, "--text", "x", "-k", "60"),
                         self.paths("folder", "--text", "x", "-k", "60"))

    def test_graph_and_faiss(self):
        for i in range(40):
            self.picture(f"in/{i}.png", i)
        report = self.index("in", "--graph")
        self.assertGreaterEqual(report["graph"]["recall_at_10"], 0.97)
        self.assertEqual(self.paths(self.url, "--text", "x"), self.paths(self.url, "--text", "x", "--exact"))
        self.succeed("index", "--out", self.url, "--export-faiss", "f.index")
        self.index("f.index", out="again")
        self.assertEqual(len(self.paths("again", "--like", "1", "-k", "100")), 39)

    def test_the_server_goes_on_when_the_database_was_restarted(self):
        self.picture("in/1.png", 1)
        self.index("in")
        server = serve_support.Server(self, "--index", self.url)
        ask = lambda: server.post("/search", {"text": "x"})
        self.assertEqual(len(ask().json["hits"]), 1)
        SERVER.stop()
        try:
            refused = ask()
            self.assertGreaterEqual(refused.status, 500)
        finally:
            SERVER.start()
        self.assertEqual(len(ask().json["hits"]), 1)

    def test_bad_places(self):
        self.picture("in/1.png", 1)
        cases = [(["index", "in", "--out", "postgresql://me:secret@localhost:1/x"], "me@localhost:1"),
                 (["search", self.url, "--text", "x"], "no index is here"),
                 (["index", "in", "--out", self.url, "--dtype", "int8"], "f32 or f16"),
                 (["search", self.url + "_missing", "--text", "x"], "does not exist")]
        for arguments, message in cases:
            done = self.run_program(*arguments)
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertIn(message, done.stderr)
            self.assertNotIn("secret", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


class UnitTest(unittest.TestCase):
    def test_index_test(self):
        """src/index/postgres_test.cc against this server."""
        url = SERVER.create("unit")
        done = subprocess.run([os.environ["OPENCLIP_INDEX_TEST"], "--gtest_filter=Postgres*"],
                              env=dict(os.environ, OPENCLIP_TEST_POSTGRES=url),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        self.assertNotIn("SKIPPED", done.stdout)


if __name__ == "__main__":
    try:
        SERVER = PostgresServer()
    except unittest.SkipTest as reason:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    try:
        unittest.main()
    finally:
        SERVER.remove()
