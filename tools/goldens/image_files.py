"""Encoders for the variants of PNG, BMP and GIF that Pillow reads but does not write."""
import itertools
import struct
import zlib

PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def pack_row(values, depth):
    """Numbers of `depth` bits, the first in the highest bits; the last byte is padded."""
    if depth == 16:
        return b"".join(struct.pack(">H", value) for value in values)
    if depth == 8:
        return bytes(values)
    text = "".join(format(value, f"0{depth}b") for value in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows, color, depth, interlaced=False, palette=b"", before_data=(), after_data=()):
    """rows[y][x]: tuple of channels. before_data, after_data: (kind, bytes) of further chunks."""
    height, width = len(rows), len(rows[0])
    raw = b""
    for left, top, step_x, step_y in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        for row in rows[top::step_y]:
            pixels = row[left::step_x]
            if pixels:
                raw += b"\0" + pack_row(list(itertools.chain(*pixels)), depth)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header)]
    if palette:
        chunks.append((b"PLTE", palette))
    chunks += [*before_data, (b"IDAT", zlib.compress(raw, 9)), *after_data, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def bmp(width, height, bits, data, palette=(), compression=0, masks=(), top_down=False, header=40):
    """data: rows as they lie in the file. palette: (r, g, b). header: 12 (OS/2), 40 or 108 bytes."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
        table = b"".join(bytes((b, g, r)) for r, g, b in palette)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits,
                           compression, len(data), 2835, 2835, len(palette), 0)
        if masks:
            info += struct.pack(f"<{len(masks)}I", *masks)
        info += b"\0" * (header - len(info))
        table = b"".join(bytes((b, g, r, 0)) for r, g, b in palette)
    offset = 14 + len(info) + len(table)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + table + data


def bmp_rows(rows, bits, top_down=False):
    """rows[y][x]: index or pixel number; 8 bits and less are packed, more are little-endian."""
    lines = []
    for row in rows if top_down else rows[::-1]:
        if bits <= 8:
            line = pack_row(row, bits)
        else:
            line = b"".join(value.to_bytes(bits // 8, "little") for value in row)
        lines.append(line + b"\0" * (-len(line) % 4))
    return b"".join(lines)


def rle8(rows):
    """Runs where values repeat, a literal for the rest, one skip, and the two kinds of end."""
    out = b""
    for y, row in enumerate(rows[::-1]):
        x = 0
        if y == 2:
            out += bytes((0, 2, 3, 0))
            x = 3
        while x < len(row):
            run = len(list(itertools.takewhile(lambda v: v == row[x], row[x:])))
            if run == 1 and len(row) - x >= 5:
                literal = row[x:x + 5]
                out += bytes((0, 5, *literal, 0))
                x += 5
            else:
                out += bytes((run, row[x]))
                x += run
        out += b"\0\0"
    return out + b"\0\1"


def rle4(rows):
    """Runs of two alternating values, and literals of four."""
    out = b""
    for row in rows[::-1]:
        x = 0
        while x < len(row):
            if x + 4 <= len(row) and x % 8 == 0:
                a, b, c, d = row[x:x + 4]
                out += bytes((0, 4, a << 4 | b, c << 4 | d))
                x += 4
            else:
                pair = row[x:x + 2] + [0]
                count = min(2, len(row) - x)
                out += bytes((count, pair[0] << 4 | pair[1]))
                x += count
        out += b"\0\0"
    return out + b"\0\1"


def lzw_literals(indices):
    """GIF data of 8-bit indices without compression: a clear code before the table could grow."""
    codes = []
    for i, index in enumerate(indices):
        if i % 250 == 0:
            codes.append(256)
        codes.append(index)
    codes.append(257)
    value = sum(code << 9 * i for i, code in enumerate(codes))
    data = value.to_bytes((9 * len(codes) + 7) // 8, "little")
    blocks = [data[i:i + 255] for i in range(0, len(data), 255)]
    return b"\x08" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


def gif(screen, frame_box, rows, screen_palette=b"", frame_palette=b"", transparent=None, interlaced=False):
    """One frame of 8-bit indices at frame_box (left, top, width, height); palettes of 256 or none."""
    out = b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF7 if screen_palette else 0x70, 0, 0) + screen_palette
    if transparent is not None:
        out += bytes((0x21, 0xF9, 4, 1, 0, 0, transparent, 0))
    flags = (0x87 if frame_palette else 0) | (0x40 if interlaced else 0)
    out += b"," + struct.pack("<HHHHB", *frame_box, flags) + frame_palette
    if interlaced:
        rows = rows[0::8] + rows[4::8] + rows[2::4] + rows[1::2]
    return out + lzw_literals(itertools.chain(*rows)) + b";"
