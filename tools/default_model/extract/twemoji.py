"""Twemoji from firefox-esr's TwemojiMozilla.ttf: each emoji is a stack of one-colour glyphs (COLR version 0)."""

import hashlib
import sys

from fontTools.ttLib import TTFont

import emoji
import restyle
from common import Writer, package
from extract.noto import sequences
from vector import Layer, OpsPen

FONT = "usr/lib/firefox-esr/fonts/TwemojiMozilla.ttf"
SHA256 = "6d90152ee0d29e82fe2a87793af5aa4b7ad13e6538360889e141e81ed299ee8e"


def layers(font, glyphs, base):
    size = font["head"].unitsPerEm * 1.12
    palette = font["CPAL"].palettes[0]
    out = []
    for part in font["COLR"].ColorLayers[base]:
        pen = OpsPen(glyphs, (1 / size, -1 / size), (0.0, 0.86))
        glyphs[part.name].draw(pen)
        c = palette[part.colorID]
        if pen.ops:
            out.append(Layer(tuple(pen.ops), (c.red / 255, c.green / 255, c.blue / 255, c.alpha / 255)))
    return out


def main():
    path = package("firefox-esr", FONT)
    if hashlib.sha256(open(path, "rb").read()).hexdigest() != SHA256:
        sys.exit(f"twemoji: {path} is not the known font; check its pictures, then change SHA256")
    font = TTFont(path)
    glyphs = font.getGlyphSet()
    done = set()
    with Writer("twemoji", "Twitter (Twemoji)", "CC-BY-4.0") as out:
        for points, glyph in sequences(font):
            concept = emoji.concept_of(points)
            known = concept in emoji.table() and concept not in done and not emoji.has_skin_tone(points)
            if not known or glyph not in font["COLR"].ColorLayers:
                continue
            done.add(concept)
            restyle.write(out, concept, layers(font, glyphs, glyph), **emoji.fields(concept))


if __name__ == "__main__":
    main()
