"""Weights that were made to do harm: one line, nothing executed, no large allocation (peak memory measured)."""
import os
import struct
import subprocess
import unittest

from support import BINARY, ROOT, TINY, ProgramTest

CORPUS = ROOT / "fuzz/corpus"
MORE_MB = 48  # than the program takes to say that a file is not there


class HostileFilesTest(ProgramTest):
    def peak_mb(self, weights):
        """Exit code, error lines and peak memory of an attempt to load `weights`."""
        with open(self.dir / "errors", "w+", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [BINARY, "embed", "--text", "x", "--out", "x.npy", "--model", str(TINY), "--pretrained", weights],
                cwd=self.dir, env=self.env, stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            return process.returncode, errors.read().splitlines(), usage.ru_maxrss / 1024

    def hostile_files(self):
        """Name and bytes of each; names of the corpus are those of tools/goldens/checkpoint_corpus.py."""
        for folder, names in {"pickle_fuzz": ("system", "system4", "bomb", "huge_text", "huge_long", "huge_memo",
                                              "inst", "obj"),
                              "zip_fuzz": ("overlapping",), "torch_file_fuzz": ("overlapping",),
                              "safetensors_fuzz": ("hole", "length", "overflow", "overlap", "repeated")}.items():
            for name in names:
                yield f"{folder}-{name}", (CORPUS / folder / name).read_bytes()
        yield "ten_gigabytes.safetensors", struct.pack("<Q", 10 << 30) + b'{"a":' + b" " * 4096
        yield "nested.pt", b"\x80\2" + b"(" * 100_000 + b"t" * 100_000 + b"."

    def test_refused(self):
        _, _, usual = self.peak_mb("absent.pt")
        for name, data in self.hostile_files():
            with self.subTest(name):
                code, errors, peak = self.peak_mb(self.file(name, data))
                self.assertEqual(code, 1)
                self.assertEqual(len(errors), 1, errors)
                self.assertRegex(errors[0], f"^openclip: .*{name}")
                self.assertLess(peak, usual + MORE_MB)
                self.assertFalse((self.dir / "x.npy").exists())

    def test_nothing_is_executed(self):
        target = self.dir / "owned"
        for opcodes in (b"cos\nsystem\n", b"cposix\nsystem\n", b"csubprocess\ncall\n", b"cbuiltins\neval\n"):
            command = f"touch {target}".encode()
            weights = self.file("w.pt", b"\x80\2" + opcodes + b"X" + struct.pack("<I", len(command)) + command
                                + b"\x85R.")
            code, errors, _ = self.peak_mb(weights)
            self.assertEqual((code, len(errors)), (1, 1), errors)
            self.assertFalse(target.exists())


if __name__ == "__main__":
    unittest.main()
