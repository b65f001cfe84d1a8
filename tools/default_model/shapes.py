"""Coloured shapes, filled or outlined, turned and sized at random."""

import math

from common import SIDE
from vector import Layer, render

SIZE = SIDE


def regular(n, turn=0.0, inner=None):
    """A regular polygon, or with `inner` a star."""
    out = []
    for i in range(n if inner is None else 2 * n):
        radius = 0.5 if inner is None or i % 2 == 0 else inner
        angle = turn - math.pi / 2 + i * 2 * math.pi / (n if inner is None else 2 * n)
        out.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)))
    return out


def circle(radius, x=0.5, y=0.5, back=False):
    points = [(x + radius * math.cos(i * math.pi / 24), y + radius * math.sin(i * math.pi / 24)) for i in range(48)]
    return points[::-1] if back else points


def heart():
    out = []
    for i in range(60):
        t = i * math.pi / 30
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        out.append((0.5 + x / 34, 0.47 - y / 34))
    return out


def crescent():
    outer = [(0.5 + 0.5 * math.cos(a), 0.5 + 0.5 * math.sin(a)) for a in (math.radians(50 + 260 * i / 40) for i in range(41))]
    inner = [(0.68 + 0.41 * math.cos(a), 0.5 + 0.41 * math.sin(a)) for a in (math.radians(290 - 220 * i / 40) for i in range(41))]
    return outer + inner


def contours(name, random):
    square = [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95)]
    if name == "ring":
        return [circle(0.5), circle(random.uniform(0.22, 0.36), back=True)]
    if name in ("rectangle", "ellipse"):
        share = random.uniform(0.4, 0.65)
        points = square if name == "rectangle" else circle(0.48)
        squeeze = [(x, 0.5 + (y - 0.5) * share) for x, y in points]
        return [squeeze if random.random() < 0.6 else [(y, x) for x, y in squeeze]]
    simple = {
        "circle": lambda: circle(0.5), "square": lambda: square, "triangle": lambda: regular(3), "star": lambda: regular(5, inner=random.uniform(0.18, 0.25)),
        "heart": heart, "diamond": lambda: [(0.5, 0), (0.85, 0.5), (0.5, 1), (0.15, 0.5)], "pentagon": lambda: regular(5), "hexagon": lambda: regular(6),
        "cross": lambda: [(0.35, 0), (0.65, 0), (0.65, 0.35), (1, 0.35), (1, 0.65), (0.65, 0.65), (0.65, 1), (0.35, 1), (0.35, 0.65), (0, 0.65), (0, 0.35), (0.35, 0.35)],
        "crescent": crescent, "arrow": lambda: [(0, 0.36), (0.55, 0.36), (0.55, 0.12), (1, 0.5), (0.55, 0.88), (0.55, 0.64), (0, 0.64)],
    }  # fmt: skip
    return [simple[name]()]


def draw_shape(random, name, rgb):
    """The shape in about that colour, somewhere in a SIZE x SIZE picture."""
    angle = random.gauss(0, 0.12) if name in ("square", "diamond", "cross", "heart", "rectangle") else random.gauss(0, 0.25)
    if name == "arrow":
        angle = random.choice([0, 1, 2, 3]) * math.pi / 2
    scale = random.uniform(0.4, 0.95)
    room = (1 - scale) / 2
    x0, y0 = 0.5 + random.uniform(-room, room), 0.5 + random.uniform(-room, room)
    ops = []
    for contour in contours(name, random):
        turned = []
        for x, y in contour:
            u, v = (x - 0.5) * scale, (y - 0.5) * scale
            turned.append((x0 + u * math.cos(angle) - v * math.sin(angle), y0 + u * math.sin(angle) + v * math.cos(angle)))
        ops += [("M", *turned[0])] + [("L", *p) for p in turned[1:]] + [("Z",)]
    colour = tuple(min(1.0, max(0.0, v / 255 + random.gauss(0, 0.03))) for v in rgb) + (1.0,)
    style = random.random()
    dark = (0.08, 0.08, 0.08, 1.0)
    if rgb == (250, 250, 250) or style < 0.3:  # white needs an outline to be seen at all
        layer = Layer(tuple(ops), colour, dark, random.uniform(0.015, 0.04))
    elif style < 0.4 and name not in ("ring", "circle", "crescent"):
        layer = Layer(tuple(ops), None, colour, random.uniform(0.03, 0.07))
    else:
        layer = Layer(tuple(ops), colour)
    return render([layer], SIZE)
