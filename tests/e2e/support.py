"""What the end-to-end tests share: running the program, and small files made by hand."""
import ast
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("OPENCLIP_BINARY", str(ROOT / "build/openclip"))
TINY = ROOT / "tests/golden/tiny_model"


def png(width, height, pixel=lambda x, y: (x * 7 % 256, y * 5 % 256, 90)):
    """An RGB PNG."""
    rows = b"".join(b"\0" + bytes(c for x in range(width) for c in pixel(x, y))
                    for y in range(height))
    return png_of(width, height, zlib.compress(rows))


def png_of(width, height, compressed, color_type=2):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", compressed)
            + chunk(b"IEND", b""))


def read_safetensors(path):
    """Header and data of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def write_safetensors(path, header, data):
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_npy(path):
    """(shape, flat list of floats or ints) of a little-endian .npy."""
    data = pathlib.Path(path).read_bytes()
    assert data[:6] == b"\x93NUMPY"
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + size].decode())
    assert not header["fortran_order"]
    letter = {"<f4": "f", "<i8": "q"}[header["descr"]]
    body = data[10 + size:]
    return header["shape"], struct.unpack(f"<{len(body) // struct.calcsize(letter)}{letter}", body)


def read_jsonl(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


class ProgramTest(unittest.TestCase):
    """Runs the program in a folder of its own, with the tiny model as the default model."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="openclip-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.env = dict(os.environ, OPENCLIP_DEFAULT_MODEL=str(TINY),
                        HF_HUB_CACHE=str(self.dir / "hub"), HF_HUB_OFFLINE="1")

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def run_program(self, *arguments, **options):
        return subprocess.run([BINARY, *map(str, arguments)], cwd=self.dir, env=self.env,
                              capture_output=True, text=True, timeout=120, **options)

    def succeed(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def succeed_json(self, *arguments):
        return json.loads(self.succeed(*arguments, "--json"))

    def refuse(self, code, *arguments, says=(), out=""):
        """The program must end with `code`, one line on stderr that holds all of `says`, and `out`
        on stdout (None: whatever)."""
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("openclip: "), done.stderr)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, lines[0])
        if out is not None:
            self.assertEqual(done.stdout, out)
        return lines[0]

    def copy_model(self, name="model"):
        """A copy of the tiny model that a test may damage."""
        shutil.copytree(TINY, self.dir / name)
        return self.dir / name

    def listing(self):
        return sorted(p.name for p in self.dir.iterdir())
