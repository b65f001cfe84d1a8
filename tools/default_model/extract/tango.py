"""The Tango icons that show things (devices, places, weather, faces), drawn from their SVG files."""

import io
import os
import re

import cairosvg
from PIL import Image

import names
from common import Writer, normal_name, package, table

FOLDER = package("tango-icon-theme", "usr/share/icons/Tango/scalable")
GROUPS = ("devices", "places", "status", "categories", "emotes", "mimetypes", "apps")


def main():
    told = {row[0]: row[1] for row in table("tango.tsv")}
    with Writer("tango", "Tango Desktop Project", "public domain") as out:
        for group in GROUPS:
            for file in sorted(os.listdir(os.path.join(FOLDER, group))):
                path = os.path.join(FOLDER, group, file)
                stem = file[:-4]
                if os.path.islink(path) or not file.endswith(".svg"):
                    continue
                name = told.get(stem)
                if name is None:
                    continue
                image = Image.open(io.BytesIO(cairosvg.svg2png(url=path, output_width=160, output_height=160))).convert("RGBA")
                concept, exact = names.find_emoji(normal_name(name))
                out.add(f"{group}.{stem}", image, **names.entry(concept if exact else normal_name(name), normal_name(name), [], [], group, "icon"))


if __name__ == "__main__":
    main()
