"""Other artists, made from one: vector drawings redrawn in several hands.

A model that has only seen three emoji fonts learns their fills and shadings. Here every vector picture is also drawn
with dark outlines, as line art, in other palettes, with coloured lines, simplified, and in one ink. All choices are
seeded by concept and variant, so that a second run writes the same bytes.
"""

import colorsys

from common import seeded
from roughen import roughen
from vector import area, polygons, render, signed_area

WHITE = (1.0, 1.0, 1.0, 1.0)
PALE, DARK = 0.72, 0.3  # luma limits
SPECK = 0.0012  # layers smaller than this share of the box get no stroke


def luma(c):
    return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]


def distance(a, b):
    return sum(abs(x - y) for x, y in zip(a[:3], b[:3]))


def ink(random):
    """A dark line colour, black more often than not."""
    if random.random() < 0.65:
        v = random.uniform(0, 0.12)
        return (v, v, v, 1.0)
    return (*colorsys.hsv_to_rgb(random.random(), random.uniform(0.3, 0.9), random.uniform(0.12, 0.35)), 1.0)


def box(layer):
    points = [p for polygon in layer.polygons() for p in polygon] or [(0.0, 0.0)]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def inside(a, b, slack=0.01):
    return a[0] >= b[0] - slack and a[1] >= b[1] - slack and a[2] <= b[2] + slack and a[3] <= b[3] + slack


def flatten(layers):
    """Without shading: a translucent layer, or one nearly of the colour of a larger layer, is dropped where it lies within an earlier one."""
    out, seen = [], []
    for layer in layers:
        c, size, frame = layer.fill or layer.stroke, area(layer), box(layer)
        shade = any(
            inside(frame, under_frame) and under_size > size and (c[3] < 0.6 or layer.fill and distance(c, under) < 0.22)
            for under, under_size, under_frame in seen
        )
        if not shade:
            seen.append((c, size, frame))
            out.append(layer.but(fill=layer.fill and (*c[:3], 1.0)))
    return out


def detail(layer):
    """Whether a layer is a dark mark (an eye, a mouth) that line art keeps filled."""
    return layer.fill and luma(layer.fill) < DARK and area(layer) < 0.03


def stroked(layer, colour, width):
    if not layer.fill:
        return layer.but(stroke=colour, width=max(layer.width, width))
    if detail(layer) or area(layer) < SPECK:
        return layer.but(fill=colour if detail(layer) else layer.fill)
    return layer.but(stroke=colour, width=width)


def outline(layers, random):
    """Dark thick strokes around flat fills."""
    colour, width = ink(random), random.uniform(0.022, 0.05)
    return [stroked(layer, colour, width) for layer in flatten(layers)]


def line(layers, random):
    """White fills, dark strokes."""
    colour, width = ink(random), random.uniform(0.015, 0.045)
    out = [stroked(layer, colour, width) for layer in flatten(layers)]
    return [layer if layer.fill is None or layer.fill == colour else layer.but(fill=WHITE) for layer in out]


def recolour(random):
    """A function from colour to colour: common hue turn, own jitter for every colour, other contrast."""
    turn = random.random() if random.random() < 0.7 else random.uniform(-0.06, 0.06)
    grey, gamma = random.choice([1.0, 1.0, 0.6, 0.3]), random.uniform(0.7, 1.4)
    known = {}

    def change(c):
        if c is None:
            return None
        if c not in known:
            h, s, v = colorsys.rgb_to_hsv(*c[:3])
            if s > 0.12:
                h += turn + random.gauss(0, 0.04)
                s = min(1.0, s * grey * random.uniform(0.8, 1.2))
            v = min(1.0, max(0.0, v**gamma * random.uniform(0.9, 1.1)))
            known[c] = (*colorsys.hsv_to_rgb(h % 1, s, v), c[3])
        return known[c]

    return change


def palette(layers, random):
    change = recolour(random)
    return [layer.but(fill=change(layer.fill), stroke=change(layer.stroke)) for layer in layers]


def colour_line(layers, random):
    """Thin strokes, each in the (darkened, quantised) colour of its layer, on white or a pale tint."""
    width, tint = random.uniform(0.012, 0.026), random.choice([0.0, 0.0, 0.25])
    pens = [ink(random)] + [(*colorsys.hsv_to_rgb(random.random(), random.uniform(0.5, 1), random.uniform(0.3, 0.75)), 1.0) for _ in range(2)]
    out = []
    for layer in flatten(layers):
        c = layer.fill or layer.stroke
        pen = min(pens, key=lambda p: distance(p, c))
        drawn = stroked(layer, pen, width)
        if drawn.fill and drawn.fill != pen:
            drawn = drawn.but(fill=tuple(1 - tint * (1 - v) for v in c[:3]) + (1.0,))
        out.append(drawn)
    return out


def simple(layers, random):
    """Small parts dropped, outlines rounded and shaky, sometimes other colours or outlined."""
    limit = random.uniform(0.006, 0.02)
    kept = [layer for layer in flatten(layers) if area(layer) > limit or (detail(layer) and area(layer) > 0.001)]
    kept = [roughen(layer, random, random.uniform(0.004, 0.012)) for layer in kept or layers]
    if random.random() < 0.5:
        kept = palette(kept, random)
    return outline(kept, random) if random.random() < 0.5 else kept


def one_ink(layers, random):
    """Light parts white, dark parts in one ink, everything outlined."""
    flat = flatten(layers)
    total = sum(area(layer) for layer in flat) or 1.0
    mean = sum(luma(layer.fill or layer.stroke) * area(layer) for layer in flat) / total
    colour, width = ink(random), random.uniform(0.012, 0.035)
    out = []
    for layer in flat:
        dark = luma(layer.fill or layer.stroke) < min(mean, 0.6)
        out.append(stroked(layer, colour, width).but(fill=layer.fill and (colour if dark else WHITE)))
    return out


def hand(layers, random):
    """Coloured, shaky outlines over flat fills in other colours."""
    colour, width = ink(random), random.uniform(0.018, 0.04)
    base = palette(flatten(layers), random)
    return [stroked(roughen(layer, random, random.uniform(0.003, 0.008)), colour, width) for layer in base]


STYLES = {
    "outline1": outline,
    "outline2": outline,
    "line1": line,
    "line2": line,
    "palette": palette,
    "colour_line": colour_line,
    "simple": simple,
    "one_ink": one_ink,
    "hand": hand,
}
KEEP_COLOUR = ("outline1", "outline2")  # all that a flag or a red apple may be given


def write(out, key, layers, **fields):
    """The plain picture and its restyled variants."""
    if not layers or not out.add(key, render(layers), **fields):
        return
    for name, style in STYLES.items():
        if not fields["recolour"] and name not in KEEP_COLOUR:
            continue
        drawn = style(layers, seeded(out.common["source"], key, name))
        out.add(f"{key}.{name}", render(drawn), variant=name, **fields)


def coloured_glyph(layer, random, colours, colour, width):
    """A line drawing whose enclosed white areas are filled: contours are painted from the largest to the smallest."""
    shapes = []
    start = 0
    ops = list(layer.ops) + [("M",)]
    for i in range(1, len(ops)):
        if ops[i][0] == "M":
            part = tuple(ops[start:i])
            start = i
            size = sum(signed_area(p) for p in polygons(part))
            shapes.append((size, part))
    if not shapes:
        return [layer]
    outer = max(shapes, key=lambda s: abs(s[0]))[0] > 0
    out = []
    for size, part in sorted(shapes, key=lambda s: -abs(s[0])):
        solid = (size > 0) == outer
        fill = colour if solid else random.choice(colours)
        out.append(layer.but(ops=part, fill=fill, stroke=colour if width else None, width=width))
    return out


def bright(random):
    return (*colorsys.hsv_to_rgb(random.random(), random.uniform(0.3, 0.95), random.uniform(0.7, 1)), 1.0)


def write_glyph(out, key, layer, **fields):
    """The same for a one-colour glyph."""
    if not out.add(key, render([layer]), **fields):
        return
    for name in ("filled1", "filled2", "white", "bold", "hand"):
        if not fields["recolour"] and name != "bold":
            continue
        random = seeded(out.common["source"], key, name)
        colours, colour, width = [WHITE], ink(random), random.uniform(0.0, 0.02)
        if name.startswith("filled") or (name == "hand" and random.random() < 0.5):
            colours = [bright(random) for _ in range(random.randint(1, 3))] + [WHITE] * random.randint(0, 1)
        drawn = layer
        if name == "bold":
            drawn = layer.but(fill=colour, stroke=colour, width=random.uniform(0.012, 0.035))
            out.add(f"{key}.{name}", render([drawn]), variant=name, **fields)
            continue
        if name == "hand":
            drawn = roughen(layer, random, random.uniform(0.003, 0.007))
        out.add(f"{key}.{name}", render(coloured_glyph(drawn, random, colours, colour, width)), variant=name, **fields)
