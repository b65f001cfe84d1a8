"""Letters and digits in the fonts of Debian packages."""

import os

from PIL import Image, ImageDraw, ImageFont

from common import SIDE


def fonts(*folders):
    """All .ttf and .otf files below the folders, in a fixed order."""
    out = []
    for folder in folders:
        for place, below, files in os.walk(folder):
            below.sort()
            out += [os.path.join(place, f) for f in sorted(files) if f.endswith((".ttf", ".otf"))]
    return out


def letter(random, font, text):
    """The character, large, in a dark or bright colour, sometimes on a disc or card."""
    image = Image.new("RGBA", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    card = random.random() < 0.3
    colour = tuple(random.randint(0, 110) for _ in range(3)) + (255,)
    if card:
        box, fill = (2, 2, SIDE - 3, SIDE - 3), tuple(random.randint(150, 255) for _ in range(3)) + (255,)
        if random.random() < 0.5:
            pen.ellipse(box, fill=fill)
        else:
            pen.rounded_rectangle(box, radius=random.randint(0, 20), fill=fill)
    face = ImageFont.truetype(font, int(SIDE * (random.uniform(0.5, 0.7) if card else random.uniform(0.55, 1.0))))
    left, top, right, bottom = pen.textbbox((0, 0), text, font=face)
    at = ((SIDE - right - left) / 2 + random.uniform(-3, 3), (SIDE - bottom - top) / 2 + random.uniform(-3, 3))
    if random.random() < 0.2:
        pen.text(at, text, font=face, fill=(255, 255, 255, 255), stroke_width=2, stroke_fill=colour)
    else:
        pen.text(at, text, font=face, fill=colour)
    return image.rotate(random.uniform(-8, 8), Image.BICUBIC)
