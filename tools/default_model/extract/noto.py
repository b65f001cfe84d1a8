"""Noto Color Emoji: the PNG strikes of the CBDT table, found through cmap and the GSUB ligatures."""

import io

from fontTools.ttLib import TTFont
from PIL import Image

import emoji
from common import Writer, package

FONT = "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"


def sequences(font):
    """(code points, glyph name) of single code points and ligatures, sorted."""
    out = []
    cmap = font.getBestCmap()
    of_glyph = {}
    for point, glyph in cmap.items():
        of_glyph.setdefault(glyph, point)
        out.append(([point], glyph))
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, ligatures in getattr(table, "ligatures", {}).items():
                for ligature in ligatures:
                    glyphs = [first] + ligature.Component
                    if all(g in of_glyph for g in glyphs):
                        out.append(([of_glyph[g] for g in glyphs], ligature.LigGlyph))
    return sorted(out)


def main():
    font = TTFont(package("fonts-noto-color-emoji", FONT))
    table = emoji.table()
    strikes = {}
    for strike in font["CBDT"].strikeData:
        strikes.update(strike)
    done = set()
    with Writer("noto", "Google (Noto Emoji)", "OFL-1.1, Apache-2.0") as out:
        for points, glyph in sequences(font):
            concept = emoji.concept_of(points)
            if concept not in table or concept in done or glyph not in strikes or emoji.has_skin_tone(points):
                continue
            done.add(concept)
            image = Image.open(io.BytesIO(strikes[glyph].imageData)).convert("RGBA")
            out.add(concept, image, **emoji.fields(concept))


if __name__ == "__main__":
    main()
