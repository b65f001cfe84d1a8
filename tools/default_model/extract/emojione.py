"""EmojiOne 2.2: the <symbol>s of one SVG sprite, read into flat layers."""

import re
import xml.etree.ElementTree as ET

from fontTools.misc.transform import Transform
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path
from fontTools.svgLib.path.shapes import PathBuilder
from PIL import ImageColor

import emoji
import restyle
from common import Writer, package
from vector import Layer, OpsPen

SPRITE = (
    "usr/share/rubygems-integration/all/gems/rails-assets-emojione-2.2.6/"
    "app/assets/fonts/emojione/emojione.sprites.svg"
)
HREF = "{http://www.w3.org/1999/xlink}href"


def numbers(text):
    return [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)]


def transform_of(node):
    out = Transform()
    for name, arguments in re.findall(r"(\w+)\(([^)]*)\)", node.get("transform", "")):
        n = numbers(arguments)
        if name == "matrix":
            out = out.transform(n)
        elif name == "scale":
            out = out.scale(*n)
        elif name == "translate":
            out = out.translate(*n)
    return out


class Sprite:
    def __init__(self, path):
        self.root = ET.parse(path).getroot()
        self.by_id = {n.get("id"): n for n in self.root.iter() if n.get("id")}

    def colour(self, text, opacity):
        """A colour as RGBA; a gradient becomes the mean of its stops."""
        if not text or text == "none":
            return None
        if text.startswith("url("):
            node = self.by_id.get(text[5:-1])
            stops = [] if node is None else [ImageColor.getrgb(s.get("stop-color", "#000")) for s in node]
            if not stops:
                return None
            rgb = [sum(s[i] for s in stops) / len(stops) / 255 for i in range(3)]
        else:
            rgb = [v / 255 for v in ImageColor.getrgb(text)[:3]]
        return (*rgb, opacity)

    def layers(self, symbol):
        out = []
        self.walk(symbol, Transform(), {"fill": "#000", "stroke": None, "stroke-width": "1"}, 1.0, out)
        return out

    def walk(self, node, transform, style, opacity, out):
        style = {**style, **{k: node.get(k) for k in style if node.get(k)}}
        opacity *= float(node.get("opacity", 1))
        transform = transform.transform(transform_of(node))
        tag = node.tag.split("}")[-1]
        if tag == "use":
            self.walk(self.by_id[node.get(HREF)[1:]], transform, style, opacity, out)
        elif tag in ("path", "circle", "ellipse"):
            pen = OpsPen(None, (1 / 64, 1 / 64))
            builder = PathBuilder()
            builder.add_path_from_element(ET.Element(node.tag, {k: v for k, v in node.items() if k != "transform"}))
            turned = TransformPen(pen, transform)
            for d in builder.paths:
                parse_path(d, turned)
            width = float(style["stroke-width"]) / 64
            fill, stroke = self.colour(style["fill"], opacity), self.colour(style["stroke"], opacity)
            if pen.ops and (fill or stroke):
                out.append(Layer(tuple(pen.ops), fill, stroke, width if stroke else 0.0))
        for child in node:
            if tag != "use":
                self.walk(child, transform, style, opacity, out)


def main():
    sprite = Sprite(package("ruby-rails-assets-emojione", SPRITE))
    with Writer("emojione", "EmojiOne", "CC-BY-4.0") as out:
        done = set()
        for symbol in sprite.root.iter("{http://www.w3.org/2000/svg}symbol"):
            points = [int(p, 16) for p in symbol.get("id").split("-")[1:]]
            concept = emoji.concept_of(points)
            if concept not in emoji.table() or concept in done or emoji.has_skin_tone(points):
                continue
            done.add(concept)
            restyle.write(out, concept, sprite.layers(symbol), **emoji.fields(concept))


if __name__ == "__main__":
    main()
