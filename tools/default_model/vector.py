"""Flat vector drawings: a list of filled layers in a unit box (y down), and their rendering with cairo."""

from dataclasses import dataclass, replace

import cairocffi
from fontTools.pens.basePen import BasePen
from PIL import Image


@dataclass(frozen=True)
class Layer:
    """One filled (and perhaps stroked) outline. Colours are (r, g, b, a) in 0..1, widths in unit-box lengths."""

    ops: tuple  # ("M", x, y) ("L", x, y) ("C", x1, y1, x2, y2, x, y) ("Z",)
    fill: tuple | None
    stroke: tuple | None = None
    width: float = 0.0

    def polygons(self):
        return polygons(self.ops)

    def but(self, **changes):
        return replace(self, **changes)


class OpsPen(BasePen):
    """Collects an outline as ops, through x' = a*x + e, y' = d*y + f."""

    def __init__(self, glyphs=None, scale=(1.0, 1.0), shift=(0.0, 0.0)):
        super().__init__(glyphs)
        self.ops = []
        self.scale, self.shift = scale, shift

    def at(self, *points):
        return [v for x, y in points for v in (x * self.scale[0] + self.shift[0], y * self.scale[1] + self.shift[1])]

    def _moveTo(self, p):
        self.ops.append(("M", *self.at(p)))

    def _lineTo(self, p):
        self.ops.append(("L", *self.at(p)))

    def _curveToOne(self, a, b, c):
        self.ops.append(("C", *self.at(a, b, c)))

    def _closePath(self):
        self.ops.append(("Z",))

    _endPath = _closePath


def polygons(ops, steps=6):
    """The outline's contours as lists of points."""
    out, now = [], None
    for op in ops:
        if op[0] == "M":
            now = [op[1:3]]
            out.append(now)
        elif op[0] == "L":
            now.append(op[1:3])
        elif op[0] == "C":
            x0, y0 = now[-1]
            _, x1, y1, x2, y2, x3, y3 = op
            for i in range(1, steps + 1):
                t = i / steps
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                now.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return [p for p in out if len(p) > 2]


def signed_area(polygon):
    total = 0.0
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1]):
        total += x0 * y1 - x1 * y0
    return total / 2


def area(layer):
    """Approximate filled area; holes, which run the other way round, are taken off."""
    return abs(sum(signed_area(p) for p in layer.polygons()))


def trace(context, ops):
    context.new_path()
    for op in ops:
        if op[0] == "M":
            context.move_to(*op[1:])
        elif op[0] == "L":
            context.line_to(*op[1:])
        elif op[0] == "C":
            context.curve_to(*op[1:])
        else:
            context.close_path()


def render(layers, side=176, border=0.08):
    """The layers as an RGBA picture, with room around the unit box for strokes."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, side, side)
    context = cairocffi.Context(surface)
    scale = side / (1 + 2 * border)
    context.scale(scale, scale)
    context.translate(border, border)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    for layer in layers:
        trace(context, layer.ops)
        if layer.fill:
            context.set_source_rgba(*layer.fill)
            context.fill_preserve()
        if layer.stroke and layer.width > 0:
            context.set_source_rgba(*layer.stroke)
            context.set_line_width(layer.width)
            context.stroke()
    surface.flush()
    data = bytes(surface.get_data())
    image = Image.frombuffer("RGBa", (side, side), data, "raw", "BGRa", surface.get_stride(), 1)
    return image.convert("RGBA")
