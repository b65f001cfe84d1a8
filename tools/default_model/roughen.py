"""Shaky and simplified outlines, as if redrawn by hand."""

import math

from vector import polygons


def simplify(polygon, tolerance):
    """Douglas-Peucker on a closed polygon."""
    if len(polygon) < 8:
        return polygon
    far = max(range(len(polygon)), key=lambda i: math.dist(polygon[0], polygon[i]))
    return reduce_line(polygon[: far + 1], tolerance)[:-1] + reduce_line(polygon[far:] + polygon[:1], tolerance)[:-1]


def reduce_line(points, tolerance):
    keep = {0, len(points) - 1}
    stack = [(0, len(points) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        (ax, ay), (bx, by) = points[a], points[b]
        length = math.dist(points[a], points[b]) or 1e-9

        def off(i):
            return abs((bx - ax) * (ay - points[i][1]) - (ax - points[i][0]) * (by - ay)) / length

        worst = max(range(a + 1, b), key=off)
        if off(worst) > tolerance:
            keep.add(worst)
            stack += [(a, worst), (worst, b)]
    return [points[i] for i in sorted(keep)]


def smooth_ops(polygon):
    """A closed curve through the middles of the sides, with the corners as control points."""
    n = len(polygon)
    middle = [((polygon[i][0] + polygon[(i + 1) % n][0]) / 2, (polygon[i][1] + polygon[(i + 1) % n][1]) / 2) for i in range(n)]
    ops = [("M", *middle[-1])]
    for i in range(n):
        (x0, y0), (cx, cy), (x1, y1) = middle[i - 1], polygon[i], middle[i]
        ops.append(("C", (x0 + 2 * cx) / 3, (y0 + 2 * cy) / 3, (x1 + 2 * cx) / 3, (y1 + 2 * cy) / 3, x1, y1))
    return ops + [("Z",)]


def subdivide(polygon, step):
    """More corners on long sides, so that they can shake and stay where they are when smoothed."""
    out = []
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1]):
        parts = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / step))
        out += [(x0 + (x1 - x0) * i / parts, y0 + (y1 - y0) * i / parts) for i in range(parts)]
    return out


def roughen(layer, random, amount):
    """The layer with every contour simplified, shaken by about `amount` and smoothed."""
    ops = []
    for polygon in polygons(layer.ops):
        size = max(max(p[i] for p in polygon) - min(p[i] for p in polygon) for i in (0, 1))
        shake = min(amount, size * 0.08)
        corners = subdivide(simplify(polygon, shake), max(0.09, shake * 8))
        if len(corners) >= 3:
            ops += smooth_ops([(x + random.gauss(0, shake), y + random.gauss(0, shake)) for x, y in corners])
    return layer.but(ops=tuple(ops)) if ops else layer
