#!/usr/bin/env python3
"""Draws docs/pictures/scene.png, on which docs/detection.md shows detect and explain: the project's own
drawings (samples/svg) on a meadow.

    tools/draw_scene.py          needs Debian's python3-pil and python3-cairosvg
"""
import io
import pathlib

import cairosvg
from PIL import Image, ImageDraw, ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = (480, 320)
THINGS = {"house": (24, 70, 150), "car": (190, 205, 110), "cat": (345, 180, 115), "mushroom": (190, 60, 90),
          "umbrella": (350, 30, 100)}  # left, top, longest side


def main():
    scene = Image.new("RGB", SIZE, (176, 214, 240))
    ImageDraw.Draw(scene).rectangle((0, 150, *SIZE), fill=(150, 190, 110))
    scene = scene.filter(ImageFilter.GaussianBlur(6))
    for name, (left, top, side) in THINGS.items():
        data = cairosvg.svg2png(url=str(ROOT / f"samples/svg/{name}.svg"), output_width=512, output_height=512)
        drawing = Image.open(io.BytesIO(data)).convert("RGBA")
        drawing = drawing.crop(drawing.getchannel("A").getbbox())
        scale = side / max(drawing.size)
        drawing = drawing.resize([round(n * scale) for n in drawing.size], Image.LANCZOS)
        scene.paste(drawing, (left, top), drawing)
    (ROOT / "docs/pictures").mkdir(exist_ok=True)
    scene.quantize(128).save(ROOT / "docs/pictures/scene.png", optimize=True)


if __name__ == "__main__":
    main()
