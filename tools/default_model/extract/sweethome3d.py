"""Sweet Home 3D's furniture catalogues: rendered icons with names in English and Chinese."""

import io
import os
import re
import zipfile

from PIL import Image

import names
from common import Writer, normal_name, package

FOLDER = package("sweethome3d-furniture", "usr/share/sweethome3d/furniture")
LICENCE = {"BlendSwap-CC-0": "CC0"}


def properties(data):
    """A Java .properties file: Latin-1 with \\u escapes."""
    out = {}
    for line in data.decode("latin-1").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            out[key.strip()] = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), value.strip())
    return out


def catalogue(archive):
    """number -> {name, zh, category, zh_category, icon, model, creator}."""
    english = properties(archive.read("PluginFurnitureCatalog.properties"))
    other = "PluginFurnitureCatalog_zh_CN.properties"
    chinese = properties(archive.read(other)) if other in archive.namelist() else {}
    out = {}
    for key, value in english.items():
        field, mark, number = key.partition("#")
        if mark and number.isdigit():
            out.setdefault(int(number), {})[field] = value
    for number, item in out.items():
        item["zh"] = chinese.get(f"name#{number}", "")
        item["zh_category"] = chinese.get(f"category#{number}", "")
    return dict(sorted(out.items()))


def row(item):
    """The row fields of one piece; a piece named like an emoji shares its class."""
    name = re.sub(r"(?<=\w)\d+\b|\b\d+\b", "", normal_name(item["name"]))
    name = re.sub(r"\b(left|right|small|large|big)$", "", name.strip()).strip()
    name = re.sub(r"\s+", " ", name)
    zh = re.sub(r"[\d()（）]+", "", item["zh"]).strip()
    concept, exact = names.find_emoji(name)
    fields = names.entry(concept if exact else name, name, [], [normal_name(item.get("category", ""))], normal_name(item.get("category", "")), "render")
    if zh and re.search(r"[\u4e00-\u9fff]", zh) and zh not in fields["names"]["zh"]:
        fields["names"]["zh"].append(zh)
    if item["zh_category"]:
        fields["keywords"]["zh"] = [item["zh_category"]]
    return fields


def pieces():
    """(catalogue name, archive, item) over all catalogues."""
    for file in sorted(os.listdir(FOLDER)):
        if file.endswith(".sh3f"):
            with zipfile.ZipFile(os.path.join(FOLDER, file)) as archive:
                for number, item in catalogue(archive).items():
                    yield file[:-5], number, archive, item


def main():
    with Writer("sweethome3d", "Sweet Home 3D contributors", "CC-BY-3.0") as out:
        for book, number, archive, item in pieces():
            try:
                image = Image.open(io.BytesIO(archive.read(item["icon"].lstrip("/")))).convert("RGBA")
            except (KeyError, OSError):
                continue
            out.add(f"{book}.{number}", image, **row(item), artist=item.get("creator", book), licence=LICENCE.get(book, "CC-BY-3.0"))


if __name__ == "__main__":
    main()
