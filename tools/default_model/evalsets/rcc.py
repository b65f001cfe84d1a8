"""Reads Qt resource archives (.rcc): a tree of named nodes over zlib- or zstd-packed files."""

import struct
import zlib

COMPRESSED, DIRECTORY, ZSTD = 1, 2, 4


def files(path):
    """(path inside the archive, bytes) of every file that is stored plainly or with zlib."""
    with open(path, "rb") as f:
        blob = f.read()
    if blob[:4] != b"qres":
        raise ValueError(f"{path}: not a Qt resource archive")
    version, tree, data, names = struct.unpack_from(">4I", blob, 4)
    size = 14 if version == 1 else 22

    def name_of(offset):
        length = struct.unpack_from(">H", blob, names + offset)[0]
        return blob[names + offset + 6 : names + offset + 6 + 2 * length].decode("utf-16-be")

    def walk(node, prefix):
        at = tree + node * size
        name, flags = struct.unpack_from(">IH", blob, at)
        here = prefix + name_of(name) if node else ""
        if flags & DIRECTORY:
            count, child = struct.unpack_from(">2I", blob, at + 6)
            for i in range(count):
                yield from walk(child + i, here + "/" if here else "")
            return
        offset = struct.unpack_from(">I", blob, at + 10)[0]
        length = struct.unpack_from(">I", blob, data + offset)[0]
        content = blob[data + offset + 4 : data + offset + 4 + length]
        if flags & ZSTD:
            return
        yield here, zlib.decompress(content[4:]) if flags & COMPRESSED else content

    yield from walk(0, "")
