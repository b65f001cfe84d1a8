#!/usr/bin/env python3
"""Writes src/image/font.bin: the glyphs with which labels are drawn on pictures, from GNU Unifont.

    tools/gen_font.py unifont.hex        of Debian's package `unifont` (1:15.0.01), /usr/share/unifont

Latin, Greek, Cyrillic, punctuation, kana, full-width forms and the Chinese characters of GB 2312. After
zlib: for glyphs of 8 columns, then for those of 16: their number (u32), their code points (u32, sorted),
their rows (16 or 32 bytes each, the leftmost pixel in the highest bit); all little-endian.
"""
import pathlib
import struct
import sys
import zlib

RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF),
          (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2190, 0x2199), (0x2212, 0x2212),
          (0x3000, 0x301B), (0x3041, 0x30FF), (0xFF01, 0xFF5E), (0xFFFD, 0xFFFD)]


def wanted():
    codes = {code for first, last in RANGES for code in range(first, last + 1)}
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                codes.add(ord(bytes([high, low]).decode("gb2312")))
            except UnicodeDecodeError:
                pass
    return codes


def main():
    codes = wanted()
    glyphs = {8: [], 16: []}
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        code, rows = line.split(":")
        if int(code, 16) in codes:
            glyphs[len(rows) // 4].append((int(code, 16), bytes.fromhex(rows)))
    data = b""
    for columns in (8, 16):
        found = sorted(glyphs[columns])
        data += struct.pack(f"<{1 + len(found)}I", len(found), *(code for code, _ in found))
        data += b"".join(rows for _, rows in found)
    target = pathlib.Path(__file__).resolve().parent.parent / "src/image/font.bin"
    target.write_bytes(zlib.compress(data, 9))
    print(f"{sum(map(len, glyphs.values()))} glyphs, {len(data)} bytes, {target.stat().st_size} compressed")


if __name__ == "__main__":
    main()
