"""Files that are no good pictures: one line each, exit code 1, no crash, little memory."""
import os
import pathlib
import resource
import unittest
import zlib

from support import ROOT, ProgramTest, png, png_of


def some_jpeg():
    found = sorted((ROOT / "tests/golden").rglob("*.jpg"))
    return found[0].read_bytes() if found else None


class BadImagesTest(ProgramTest):
    def bad(self, name, says=()):
        says = [says] if isinstance(says, str) else list(says)
        return self.refuse(1, "classify", name, "--labels", "a,b", says=[name, *says])

    def test_missing(self):
        self.bad("absent.png")

    def test_empty(self):
        self.bad(self.file("empty.png", b""))

    def test_folder_without_pictures(self):
        (self.dir / "folder.png").mkdir()
        self.bad("folder.png")

    def test_text_with_the_name_of_a_picture(self):
        self.bad(self.file("text.jpg", "These are words.\n" * 100))

    def test_truncated_png(self):
        self.bad(self.file("cut.png", png(64, 64)[:400]))

    def test_wrong_checksum(self):
        data = bytearray(png(16, 16))
        data[20] ^= 1
        self.bad(self.file("crc.png", bytes(data)))

    @unittest.skipUnless(some_jpeg(), "no JPEG among the golden files")
    def test_truncated_jpeg(self):
        data = some_jpeg()
        self.bad(self.file("cut.jpg", data[:len(data) // 2]))
        self.bad(self.file("head.jpg", data[:20]))

    def test_bomb_is_refused_before_memory_is_taken(self):
        side = 100_000
        squeezed = zlib.compressobj(9)
        rows = squeezed.compress(b"\0" * 1_000_000) + squeezed.flush()
        name = self.file("bomb.png", png_of(side, side, rows))
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        done = self.run_program("classify", name, "--labels", "a,b", "--threads", "1",
                                preexec_fn=limit)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("bomb.png", done.stderr)

    def test_zero_size(self):
        self.bad(self.file("zero.png", png_of(0, 5, zlib.compress(b""))))

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        name = self.file("secret.png", png(4, 4))
        pathlib.Path(self.dir / name).chmod(0)
        self.bad(name)

    def test_good_ones_among_bad_ones_are_answered(self):
        self.file("good.png", png(10, 10))
        done = self.run_program("classify", self.file("e.png", b""), "good.png",
                                self.file("t.jpg", "text"), "--labels", "a,b")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.startswith("good.png\n"))
        self.assertEqual(len(done.stderr.splitlines()), 2)


if __name__ == "__main__":
    unittest.main()
