#!/usr/bin/env python3
"""Writes the seeds of fuzz/corpus/{pickle,torch_file,zip}_fuzz: the smaller files of
tests/golden/checkpoints, the pickles inside of them, and files that were made to do harm.

    tools/goldens/checkpoint_corpus.py          standard library only
"""
import pathlib
import pickle
import struct
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/checkpoints"
CORPUS = ROOT / "fuzz/corpus"
TORCH = ["types.pt", "views.pt", "views_legacy.pt", "training_legacy.pt", "stamped.pt",
         "module.pt", "protocol4.pt"]


class Run:
    def __reduce__(self):
        import os
        return os.system, ("touch /tmp/owned",)


def bomb():
    value = ()
    for _ in range(60):
        value = (value, value)
    return value


def overlapping():
    """Two directory entries for one stored file."""
    name, data = b"a/data.pkl", b"\x80\2}."
    body = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 4, 4, len(name), 0) + name + data
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 4, 4, len(name), 0, 0, 0,
                        0, 0, 0) + name
    other = entry.replace(name, b"a/data/000")
    directory = entry + other
    return body + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, len(directory),
                                          len(body), 0)


def main():
    hostile = {"system": pickle.dumps(Run(), 2), "system4": pickle.dumps(Run(), 4),
               "bomb": pickle.dumps(bomb(), 2), "huge_text": b"\x80\4\x8d" + b"\xff" * 7 + b"\x0f.",
               "huge_long": b"\x80\2\x8b\xff\xff\xff\x7f.", "huge_memo": b"\x80\2Nr\xff\xff\xff\xff.",
               "inst": b"\x80\2(ios\nsystem\n.", "obj": b"\x80\2(cos\nsystem\nX\1\0\0\0xo."}
    for folder in ("pickle_fuzz", "torch_file_fuzz", "zip_fuzz"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for name, data in hostile.items():
        (CORPUS / "pickle_fuzz" / name).write_bytes(data)
    for name in TORCH:
        data = (GOLDEN / name).read_bytes()
        (CORPUS / "torch_file_fuzz" / name).write_bytes(data)
        if data[:2] == b"PK":
            with zipfile.ZipFile(GOLDEN / name) as archive:
                inner = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
                (CORPUS / "pickle_fuzz" / name).write_bytes(archive.read(inner))
    with zipfile.ZipFile(GOLDEN / "script.pt") as archive:
        (CORPUS / "pickle_fuzz/script.pt").write_bytes(archive.read("script/data.pkl"))
    for name in ("wrapped_model.pth", "trace.pt"):
        (CORPUS / "zip_fuzz" / name).write_bytes((GOLDEN / name).read_bytes())
    for folder in ("zip_fuzz", "torch_file_fuzz"):
        (CORPUS / folder / "overlapping").write_bytes(overlapping())


if __name__ == "__main__":
    main()
