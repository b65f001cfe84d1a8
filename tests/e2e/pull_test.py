"""models pull, download on first use, and the cache, against a Hub of our own (hub_server.py)."""
import fcntl
import hashlib
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from hub_server import COMMIT, Hub, Repo, git_sha1
from support import BINARY, TINY, ProgramTest, png

WEIGHTS = "open_clip_model.safetensors"
FILES = {path.name: path.read_bytes() for path in TINY.iterdir() if path.is_file()}
PULL = ("models", "pull", "hf-hub:org/tiny")


class HubTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.hub = Hub()
        self.hub.__enter__()
        self.addCleanup(self.hub.__exit__)
        self.hub.repos["org/tiny"] = Repo(FILES, lfs=[WEIGHTS])
        for name in list(self.env):
            if name.startswith("HF_") or name.lower().endswith("_proxy"):
                del self.env[name]
        self.env.update(HOME=str(self.dir / "home"), HF_HUB_CACHE=str(self.dir / "hub"),
                        HF_ENDPOINT=self.hub.url, HF_HUB_DOWNLOAD_TIMEOUT="2",
                        HF_HUB_ETAG_TIMEOUT="5")
        self.repo = self.dir / "hub/models--org--tiny"
        self.sha256 = hashlib.sha256(FILES[WEIGHTS]).hexdigest()
        self.partial = self.repo / f"blobs/{self.sha256}.incomplete"
        self.file("a.png", png(8, 8))

    def pull(self, *more):
        return self.succeed_json(*PULL, "--quiet", *more)

    def weights(self):
        return (self.repo / "snapshots" / COMMIT / WEIGHTS).read_bytes()

    def leave_partial(self, content):
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        self.partial.write_bytes(content)

    def start(self, *arguments):
        program = subprocess.Popen([BINARY, *arguments], cwd=self.dir, env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stderr.close)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program

    def wait_for(self, condition):
        for _ in range(1000):
            if condition():
                return
            time.sleep(0.02)
        self.fail("waited too long")


class PullTest(HubTest):
    def test_layout_of_the_cache(self):
        answer = self.pull()
        snapshot = self.repo / "snapshots" / COMMIT
        self.assertEqual(answer["weights"], str(snapshot / WEIGHTS))
        self.assertTrue(all(file["fetched"] for file in answer["files"]))
        self.assertEqual((self.repo / "refs/main").read_text(), COMMIT)
        for name in ("open_clip_config.json", "tokenizer.json"):
            self.assertEqual(os.readlink(snapshot / name), "../../blobs/" + git_sha1(FILES[name]))
        self.assertEqual(os.readlink(snapshot / WEIGHTS), "../../blobs/" + self.sha256)
        self.assertEqual(self.weights(), FILES[WEIGHTS])
        self.assertFalse(list(self.repo.glob("blobs/*.incomplete")))

    def test_nothing_is_fetched_twice(self):
        self.pull()
        before = len(self.hub.seen("GET", "/resolve/"))
        done = self.run_program(*PULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("up to date", done.stderr)
        self.assertEqual(done.stdout, str(self.repo / "snapshots" / COMMIT / WEIGHTS) + "\n")
        self.assertEqual(len(self.hub.seen("GET", "/resolve/")), before)

    def test_a_new_commit_shares_what_did_not_change(self):
        self.pull()
        commit = "f" * 40
        config = FILES["open_clip_config.json"] + b"\n"
        self.hub.repos["org/tiny"] = Repo(dict(FILES, **{"open_clip_config.json": config}),
                                          lfs=[WEIGHTS], commit=commit)
        fetched = [file["name"] for file in self.pull()["files"] if file["fetched"]]
        self.assertEqual(fetched, ["open_clip_config.json"])
        self.assertEqual((self.repo / "refs/main").read_text(), commit)
        self.succeed("classify", "a.png", "--labels", "x,y", "--model", "hf-hub:org/tiny")

    def test_lines_without_a_terminal_and_quiet(self):
        done = self.run_program(*PULL)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(self.pull()["files"]), done.stderr)
        self.assertTrue(all(line.startswith("openclip: fetched ") for line in lines), lines)
        self.assertEqual(self.run_program(*PULL, "--quiet").stderr, "")

    def test_revisions(self):
        repo = self.hub.repos["org/tiny"]
        repo.revisions["refs/pr/1"] = repo.revisions["e" * 40] = "e" * 40
        self.pull("--revision", "refs/pr/1")
        self.assertEqual((self.repo / "refs/refs/pr/1").read_text(), "e" * 40)
        self.env["HF_HUB_OFFLINE"] = "1"
        self.succeed("classify", "a.png", "--labels", "x,y", "--model", "hf-hub:org/tiny@refs/pr/1")
        self.refuse(1, "tokenize", "--text", "x", "--model", "hf-hub:org/tiny@v2", says="OFFLINE")
        del self.env["HF_HUB_OFFLINE"]
        self.refuse(1, *PULL, "--revision", "v3", says=("hf-hub:org/tiny@v3", "no such revision"))
        self.refuse(2, *PULL, "--revision", "../x", says="../x")

    def test_relative_redirects_are_followed(self):
        self.hub.faults.relative_redirect = True
        self.pull()
        self.assertEqual(self.weights(), FILES[WEIGHTS])

    def test_wrong_names(self):
        self.refuse(2, "models", "pull", "hf-hub:tiny", says="hf-hub:ORG/REPO")
        self.refuse(2, "models", "pull", "ViT-B-32", says=("ViT-B-32:TAG", "laion2b_s34b_b79k"))
        self.refuse(1, "models", "pull", "ViT-B32:openai", says="ViT-B-32")
        self.refuse(2, "models", "pull", says="model")


class TagTest(HubTest):
    REPO = "timm/vit_base_patch32_clip_224.metaclip_400m"

    def test_safetensors_go_first_and_the_old_name_follows(self):
        self.hub.repos[self.REPO] = Repo({"open_clip_pytorch_model.bin": b"old", WEIGHTS: b"new"})
        path = self.succeed("models", "pull", "ViT-B-32:metaclip_400m").strip()
        self.assertTrue(path.endswith(WEIGHTS), path)
        self.hub.repos[self.REPO] = Repo({"open_clip_pytorch_model.bin": b"old"}, commit="a" * 40)
        path = self.succeed("models", "pull", "ViT-B-32:metaclip_400m").strip()
        self.assertTrue(path.endswith("open_clip_pytorch_model.bin"), path)

    def test_list_of_what_is_here(self):
        self.assertEqual(self.succeed_json("models", "list", "--cached"), [])
        self.hub.repos[self.REPO] = Repo({WEIGHTS: b"new"})
        self.succeed("models", "pull", "ViT-B-32:metaclip-400m")
        self.pull()
        cached = self.succeed_json("models", "list", "--cached")
        self.assertEqual([model["name"] for model in cached],
                         ["ViT-B-32-quickgelu:metaclip_400m", "ViT-B-32:metaclip_400m",
                          "hf-hub:org/tiny"])
        self.assertEqual(cached[2]["bytes"], len(FILES[WEIGHTS]))
        self.assertIn("hf-hub:org/tiny", self.succeed("models", "list", "--cached"))

    def test_tokenizing_needs_no_weights(self):
        self.run_program("preprocess", "a.png", "--out", "p.npy", "--model", "ViT-B-32", "--pretrained",
                         "metaclip_400m")
        self.assertEqual(self.hub.requests, [])

    def test_weights_in_open_clips_folder_are_found(self):
        folder = self.dir / "home/.cache/clip"
        folder.mkdir(parents=True)
        (folder / "b32_400m.pt").write_bytes(b"x")
        cached = self.succeed_json("models", "list", "--cached")
        self.assertIn("ViT-B-32:metaclip_400m", [model["name"] for model in cached])


class FirstUseTest(HubTest):
    CLASSIFY = ("classify", "a.png", "--labels", "x,y", "--model", "hf-hub:org/tiny")

    def test_downloads_and_then_asks_nobody(self):
        self.succeed(*self.CLASSIFY)
        count = len(self.hub.requests)
        self.assertGreater(count, 0)
        self.succeed(*self.CLASSIFY)
        self.assertEqual(len(self.hub.requests), count)

    def test_only_what_is_needed(self):
        self.succeed("tokenize", "--text", "cat", "--model", "hf-hub:org/tiny")
        self.assertEqual(self.hub.seen("HEAD", WEIGHTS), [])
        self.succeed(*self.CLASSIFY)
        self.assertEqual(len(self.hub.seen("GET", WEIGHTS, "cdn")), 1)

    def test_offline(self):
        self.env["HF_HUB_OFFLINE"] = "1"
        for command in (self.CLASSIFY, PULL):
            self.refuse(1, *command, says=("hf-hub:org/tiny", "HF_HUB_OFFLINE"))
        self.refuse(1, "classify", "a.png", "--labels", "x", "--model", "ViT-B-32", "--pretrained",
                    "openai", says="HF_HUB_OFFLINE")
        self.assertEqual(self.hub.requests, [])
        del self.env["HF_HUB_OFFLINE"]
        self.pull()
        self.env["TRANSFORMERS_OFFLINE"] = "yes"
        self.succeed(*self.CLASSIFY)

    def test_repositories_that_are_no_models(self):
        self.hub.repos["org/other"] = Repo({"README.md": b"", "model.safetensors": b"x"})
        self.refuse(1, "models", "pull", "hf-hub:org/other", says="open_clip_config.json")
        self.hub.repos["org/empty"] = Repo({"open_clip_config.json": b"{}"})
        self.refuse(1, "models", "pull", "hf-hub:org/empty", says="no weights")


class AccessTest(HubTest):
    def test_token_goes_to_the_hub_only(self):
        self.hub.repos["org/tiny"].token = "hf_secret"
        self.env["HF_TOKEN"] = "hf_secret"
        self.pull()
        for role, _, path, headers in self.hub.requests:
            self.assertEqual(headers.get("Authorization"),
                             "Bearer hf_secret" if role == "hub" else None, path)
        self.assertEqual(len(self.hub.seen("GET", WEIGHTS, "cdn")), 1)

    def test_token_file(self):
        self.hub.repos["org/tiny"].token = "hf_file"
        self.file("token", "hf_file\n")
        self.env["HF_TOKEN_PATH"] = str(self.dir / "token")
        self.pull()

    def test_refusals(self):
        repo = self.hub.repos["org/tiny"]
        repo.token, repo.gated = "hf_secret", True
        self.refuse(1, *PULL, says=("hf-hub:org/tiny", "gated", "HF_TOKEN"))
        repo.gated = False
        self.refuse(1, *PULL, says=("hf-hub:org/tiny", "401", "HF_TOKEN"))
        self.env["HF_TOKEN"] = "hf_other"
        self.refuse(1, *PULL, says="the token in use")
        self.refuse(1, "models", "pull", "hf-hub:org/absent", says="no such repository")
        self.env["HF_TOKEN"] = "two words"
        self.refuse(2, *PULL, says="HF_TOKEN")

    def test_host_that_is_not_there(self):
        self.env["HF_ENDPOINT"] = "http://127.0.0.1:1"
        self.refuse(1, *PULL, says=("127.0.0.1:1", "connect"))
        self.env["HF_ENDPOINT"] = "file:///etc"
        self.refuse(1, *PULL, says="file:///etc")


class BrokenNetworkTest(HubTest):
    def test_broken_connections_are_resumed(self):
        size = len(FILES[WEIGHTS])
        self.hub.repos["org/tiny"].files = {k: FILES[k] for k in ("open_clip_config.json", WEIGHTS)}
        self.hub.faults.break_after = [10, size, size // 3, size // 3]  # the config comes first
        self.pull()
        self.assertEqual(self.weights(), FILES[WEIGHTS])
        ranges = [r[3].get("Range") for r in self.hub.seen("GET", WEIGHTS, "cdn")]
        self.assertEqual(ranges, [None, f"bytes={size // 3}-", f"bytes={size // 3 * 2}-"])

    def test_a_stalled_connection_is_given_up_and_resumed(self):
        self.hub.repos["org/tiny"].files = {k: FILES[k] for k in ("open_clip_config.json", WEIGHTS)}
        self.hub.faults.stall_after = [len(FILES["open_clip_config.json"]), 1000]
        self.pull()
        self.assertEqual([r[3].get("Range") for r in self.hub.seen("GET", WEIGHTS, "cdn")],
                         [None, "bytes=1000-"])

    def test_a_slow_trickle_is_awaited(self):
        self.hub.faults.trickle = (len(FILES[WEIGHTS]) // 8 + 1, 0.3)
        self.pull()
        self.assertEqual(len(self.hub.seen("GET", WEIGHTS, "cdn")), 1)

    def test_connections_that_never_last_end_in_an_error(self):
        self.hub.faults.break_after = [0] * 50
        self.refuse(1, *PULL, "--quiet", says="127.0.0.1")

    def test_busy_servers_are_asked_again(self):
        self.hub.faults.busy = [503, 429, 500]
        self.hub.faults.retry_after = 0
        self.pull()
        self.hub.faults.busy = [429]
        self.hub.faults.retry_after = 3600
        self.refuse(1, *PULL, "--quiet", says=("too many requests", "3600"))
        self.hub.faults.busy = [503] * 50
        self.hub.faults.retry_after = 0
        self.refuse(1, *PULL, "--quiet", says="503")

    def test_a_server_without_ranges(self):
        self.leave_partial(FILES[WEIGHTS][:500])
        self.hub.faults.no_ranges = True
        self.pull()
        self.assertEqual(self.weights(), FILES[WEIGHTS])

    def test_partial_files_of_another_process_are_continued(self):
        self.leave_partial(FILES[WEIGHTS][:500])
        self.pull()
        self.assertEqual(self.hub.seen("GET", WEIGHTS, "cdn")[0][3].get("Range"), "bytes=500-")
        self.assertEqual(self.weights(), FILES[WEIGHTS])

    def test_killed_in_the_middle_then_resumed(self):
        size = len(FILES[WEIGHTS])
        self.hub.faults.trickle = (size // 20, 0.1)
        program = self.start(*PULL)
        self.wait_for(lambda: self.partial.exists() and self.partial.stat().st_size > size // 10)
        program.send_signal(signal.SIGKILL)
        program.wait()
        self.assertGreater(self.partial.stat().st_size, 0)
        self.hub.faults.trickle = None
        self.pull()
        self.assertRegex(self.hub.seen("GET", WEIGHTS, "cdn")[-1][3]["Range"], r"bytes=[1-9]\d*-")
        self.assertEqual(self.weights(), FILES[WEIGHTS])

    def test_interrupted(self):
        size = len(FILES[WEIGHTS])
        self.hub.faults.trickle = (size // 20, 0.1)
        program = self.start(*PULL, "--quiet")
        self.wait_for(lambda: self.partial.exists() and self.partial.stat().st_size > 0)
        program.send_signal(signal.SIGINT)
        _, stderr = program.communicate(timeout=30)
        self.assertEqual(program.returncode, -signal.SIGINT)
        self.assertEqual(len(stderr.splitlines()), 1, stderr)
        self.assertIn("interrupted", stderr)
        self.assertGreater(self.partial.stat().st_size, 0)

    def test_two_processes_fetch_once(self):
        self.hub.faults.trickle = (len(FILES[WEIGHTS]) // 8 + 1, 0.1)
        programs = [self.start(*PULL) for _ in range(2)]
        for program in programs:
            self.assertEqual(program.wait(timeout=60), 0)
        self.assertEqual(len(self.hub.seen("GET", WEIGHTS, "cdn")), 1)
        self.assertEqual(self.weights(), FILES[WEIGHTS])


class LyingServerTest(HubTest):
    def bad(self, *says):
        self.refuse(1, *PULL, "--quiet", says=says)
        self.assertFalse(self.partial.exists())
        self.assertFalse((self.repo / "blobs" / self.sha256).exists())

    def only(self, *names):
        self.hub.repos["org/tiny"].files = {name: FILES[name] for name in names}

    def test_checksums(self):
        self.hub.faults.corrupt = True
        self.bad("git checksum")
        self.hub.faults.corrupt = False
        self.pull()
        (self.repo / "blobs" / self.sha256).unlink()
        self.hub.faults.corrupt = True
        self.bad(WEIGHTS, "sha256 checksum")

    def test_a_partial_file_with_other_bytes(self):
        self.leave_partial(b"?" * 500)
        self.bad(WEIGHTS, "sha256 checksum")
        self.pull()

    def test_sizes(self):
        for lie in (-1, 1, 1 << 40):
            self.hub.faults.size_lie = lie
            self.bad(WEIGHTS)

    def test_more_than_the_disk_holds(self):
        self.hub.repos["org/tiny"].files[WEIGHTS] = b"x" * 100
        self.hub.faults.size_lie = 1 << 60
        self.hub.faults.no_length = True
        self.bad(WEIGHTS, "free")

    def test_ranges(self):
        self.leave_partial(FILES[WEIGHTS][:500])
        self.hub.faults.wrong_range = True
        self.bad("another range")

    def test_without_length_a_good_file_is_taken(self):
        self.hub.faults.no_length = True
        self.pull()
        self.assertEqual(self.weights(), FILES[WEIGHTS])

    def test_headers(self):
        for fault, value, says in (("no_commit", True, "HF_ENDPOINT"), ("no_etag", True, "ETag"),
                                   ("bad_etag", '"../../../x"', "ETag"),
                                   ("bad_etag", '"a/b"', "ETag"),
                                   ("huge_header", True, "header"),
                                   ("redirect_loop", True, "redirects"),
                                   ("redirect_to", "file:///etc/passwd", "file:///etc/passwd"),
                                   ("listing", b"<html>", "JSON"),
                                   ("listing", b'{"sha":"../..","siblings":[]}', "commit")):
            with self.subTest(fault=fault, value=value):
                before = getattr(self.hub.faults, fault)
                setattr(self.hub.faults, fault, value)
                self.bad(says)
                setattr(self.hub.faults, fault, before)

    def test_names_that_would_leave_the_cache(self):
        self.hub.repos["org/tiny"].files["../../../evil.json"] = b"x"
        self.pull()
        self.assertEqual([str(p) for p in self.dir.rglob("evil.json")], [])

    def test_a_cache_that_cannot_be_written(self):
        self.file("plain", "")
        self.env["HF_HUB_CACHE"] = str(self.dir / "plain/hub")
        self.refuse(1, *PULL, says=("plain/hub", "HF_HUB_CACHE"))


class TerminalTest(HubTest):
    def on_terminal(self, **more):
        """stderr of a pull on a terminal."""
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        program = subprocess.Popen([BINARY, *PULL], cwd=self.dir, env=dict(self.env, **more),
                                   stdout=subprocess.DEVNULL, stderr=other)
        os.close(other)
        text = b""
        while True:
            try:
                ready, _, _ = select.select([main], [], [], 60)
                piece = os.read(main, 65536) if ready else b""
            except OSError:
                piece = b""
            if not piece:
                break
            text += piece
        os.close(main)
        self.assertEqual(program.wait(timeout=60), 0)
        return text.decode()

    def test_a_bar_with_rate_and_time_left(self):
        self.hub.faults.trickle = (len(FILES[WEIGHTS]) // 8 + 1, 0.15)
        text = self.on_terminal()
        self.assertRegex(text, r"open_clip_model\.safetensors  \[#+ *\] +\d+ %  .* of .*/s  \d+:\d\d left")
        self.assertIn("fetched open_clip_model.safetensors", text)

    def test_no_bar_where_it_is_not_wanted(self):
        self.hub.faults.trickle = (len(FILES[WEIGHTS]) // 4 + 1, 0.15)
        self.assertNotIn("left", self.on_terminal(HF_HUB_DISABLE_PROGRESS_BARS="1"))


if __name__ == "__main__":
    unittest.main()
