"""What the end-to-end tests of openclip-train share: a small data set, and running the program."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest
import io

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from support import TINY, png, png_of  # noqa: E402

PROGRAM = os.environ.get("OPENCLIP_TRAIN_BINARY", str(ROOT / "build/openclip-train"))
ENGINE = os.environ.get("OPENCLIP_BINARY", "")
COUNT = 40
RESNET = {"embed_dim": 16,
          "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
          "text_cfg": {"context_length": 16, "vocab_size": 521, "width": 32, "heads": 2, "layers": 2,
                       "hf_tokenizer_name": "tiny"}}


def rgba(i):
    """A coloured bar on nothing; its place and colour depend on i."""
    import zlib
    rows = b""
    for y in range(24):
        rows += b"\0" + b"".join(
            bytes((40 * i % 256, 90, 255 - 6 * i, 255)) if abs(x - y * (i % 5) / 4 - 5) < 4
            else bytes(4) for x in range(30))
    return png_of(30, 24, zlib.compress(rows), color_type=6)


def read_safetensors(path):
    """{name: bytes}"""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    return {name: data[8 + length:][slice(*entry["data_offsets"])]
            for name, entry in header.items() if name != "__metadata__"}


def caption(i):
    return ["red", "green", "dog", "cat", "tree"][i % 5] + " number " + "abcdefghij"[i % 10]


class TrainTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="openclip-train-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        (self.dir / "resnet.json").write_text(json.dumps(RESNET))
        for shard in range(2):
            with tarfile.open(self.dir / f"part-{shard}.tar", "w") as tar:
                for i in range(shard, COUNT, 2):
                    about = {"en": [caption(i), "thing " + caption(i)], "zh": caption(i)[::-1],
                             "concept": i % 5 if i % 7 else -1, "flip": i % 2 == 0}
                    for extension, data in (("png", rgba(i)), ("json", json.dumps(about).encode()),
                                            ("txt", caption(i).encode())):
                        member = tarfile.TarInfo(f"{i:04}.{extension}")
                        member.size = len(data)
                        tar.addfile(member, io.BytesIO(data))

    def write_json(self, name, value):
        (self.dir / name).write_text(json.dumps(value))

    def remove(self, path):
        shutil.rmtree(path)

    def unpack_pictures(self, folder, only=None):
        """The data set's pictures, or one of them, without captions."""
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(COUNT) if only is None else (only,):
            (folder / f"{i:04}.png").write_bytes(rgba(i))

    def run_tool(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], cwd=self.dir, capture_output=True, text=True,
                              timeout=60)

    def command(self, *extra, name="run"):
        # Two threads: what differs between thread counts (sums) is no part of a resume's promise.
        return [PROGRAM, "--model", "resnet.json", "--tokenizer", str(TINY), "--batch-size", "8",
                "--epochs", "6", "--warmup", "5", "--lr", "1e-3", "--logs", "logs", "--name", name,
                "--threads", "2", "--workers", "2", "--precision", "fp32", "--log-every-n-steps",
                "1", *extra]

    def run_program(self, *extra, name="run", timeout=180):
        return subprocess.run(self.command(*extra, name=name), cwd=self.dir, capture_output=True,
                              text=True, timeout=timeout)

    def succeed(self, *extra, name="run"):
        done = self.run_program(*extra, name=name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def interrupt(self, number, at, *extra, name):
        """Starts a run and sends a signal as soon as the line holding `at` appears."""
        with subprocess.Popen(self.command(*extra, name=name), cwd=self.dir, text=True,
                              stderr=subprocess.PIPE) as process:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if at in line:
                    process.send_signal(number)
                    break
            lines += process.stderr.readlines()
            process.wait(60)
        self.assertTrue(any(at in line for line in lines), "".join(lines))
        return process.returncode, "".join(lines)

    def checkpoint(self, name, epoch="epoch_6"):
        return self.dir / "logs" / name / "checkpoints" / epoch

    def assert_same_result(self, a, b):
        for file in ("open_clip_model.safetensors", "trainer_state.safetensors",
                     "ema/open_clip_model.safetensors"):
            one, other = ((self.checkpoint(x) / file).read_bytes() for x in (a, b))
            self.assertTrue(one == other, f"{file} of {a} and {b} differ")
