"""Symbola: black line drawings, one glyph per code point."""

from fontTools.ttLib import TTFont

import emoji
import restyle
from common import Writer, package
from vector import Layer, OpsPen, polygons

FONT = "usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"


def layer_of(glyphs, name):
    """The glyph fitted into the unit box."""
    pen = OpsPen(glyphs)
    glyphs[name].draw(pen)
    points = [p for polygon in polygons(pen.ops) for p in polygon]
    if not points:
        return None
    left, right = min(p[0] for p in points), max(p[0] for p in points)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    size = max(right - left, high - low)
    shift = (0.5 - (left + right) / 2 / size, 0.5 + (low + high) / 2 / size)
    fitted = OpsPen(glyphs, (1 / size, -1 / size), shift)
    glyphs[name].draw(fitted)
    return Layer(tuple(fitted.ops), (0, 0, 0, 1))


def main():
    font = TTFont(package("fonts-symbola", FONT))
    glyphs = font.getGlyphSet()
    cmap = font.getBestCmap()
    with Writer("symbola", "George Douros (Symbola)", "free for any use") as out:
        for concept in emoji.table():
            points = emoji.points_of(concept)
            layer = layer_of(glyphs, cmap[points[0]]) if len(points) == 1 and points[0] in cmap else None
            if layer:
                restyle.write_glyph(out, concept, layer, **emoji.fields(concept))


if __name__ == "__main__":
    main()
