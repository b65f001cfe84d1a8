"""Flags of iso-flags-png and openclipart, as other renderings of the flag emoji."""

import os

import emoji
from common import Writer, normal_name, open_picture, package

ISO = package("iso-flags-png-320x240", "usr/share/iso-flags-png-320x240")
CLIP_ART = package("openclipart-png", "usr/share/openclipart/png/signs_and_symbols/flags")


def concept_of_code(code):
    concept = "-".join(f"{0x1F1E6 + ord(c) - ord('a'):x}" for c in code)
    return concept if concept in emoji.table() else None


def by_name():
    """Country name -> flag concept."""
    out = {}
    for concept, e in emoji.table().items():
        for name in e["en"] if e["group"] == "Flags" else ():
            out[normal_name(name)] = concept
    return out


def main():
    names = by_name()
    with Writer("flags", "iso-flags, openclipart contributors", "public domain") as out:
        for file in sorted(os.listdir(ISO)):
            concept = concept_of_code(file[:-4]) if len(file) == 6 and file[:2].isalpha() else None
            if concept:
                out.add(f"iso.{file[:-4]}", open_picture(os.path.join(ISO, file)), **{**emoji.fields(concept), "kind": "flag"}, artist="iso-flags")
        for folder, folders, files in os.walk(CLIP_ART):
            folders.sort()
            for file in sorted(files):
                concept = names.get(normal_name(file[:-4])) if file.endswith(".png") else None
                image = open_picture(os.path.join(folder, file)) if concept else None
                if image:
                    out.add(f"clip.{file[:-4]}", image, **{**emoji.fields(concept), "kind": "flag"}, artist="openclipart contributors")


if __name__ == "__main__":
    main()
