"""Photographs of things: cut-outs from Tux Paint's stamps and whole photographs from GCompris, named by photos.tsv."""

import io

from PIL import Image

from common import package, table
from evalsets.lists import EvalList, class_label, square, trained
from evalsets.rcc import files

STAMPS = "usr/share/tuxpaint/stamps"
ARCHIVES = "usr/share/gcompris-qt/rcc"


def tuxpaint(path):
    return square(Image.open(package("tuxpaint-stamps-default", STAMPS, path)).convert("RGBA"))


class GCompris:
    def __init__(self):
        self.open = {}

    def __call__(self, path):
        archive, inside = path.split("/", 1)
        if archive not in self.open:
            found = files(package("gcompris-qt-data", ARCHIVES, archive + ".rcc"))
            self.open[archive] = {name.split("resource/", 1)[-1]: data for name, data in found if name.endswith(".webp")}
        return Image.open(io.BytesIO(self.open[archive][inside])).convert("RGB")


def main():
    readers = {"tuxpaint": tuxpaint, "gcompris": GCompris()}
    lists = {name: EvalList(name) for name in readers}
    untrained = set()
    for source, path, name, coarse in table("photos.tsv"):
        concept = trained(name) if name != "-" else None
        if name != "-" and concept is None:
            untrained.add(name)
        if concept or coarse != "-":
            lists[source].add(readers[source](path), class_label(concept) if concept else None, "photo", coarse, path)
    for each in lists.values():
        each.close()
    print("photos whose name was not trained:", ", ".join(sorted(untrained)))


if __name__ == "__main__":
    main()
