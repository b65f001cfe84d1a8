"""Pictures of OBJ models from any side, by points sampled on their surfaces.

Not a rasteriser: a model becomes a fixed number of coloured points with normals, which are painted from the farthest to
the nearest and averaged down. That is short, needs numpy only, and at 96 pixels looks the same.
"""

import io
import math

import numpy as np
from PIL import Image, ImageFilter


def materials(text):
    """name -> (diffuse colour, opacity, texture file or None) from an .mtl file."""
    out, name = {}, None
    for line in text.splitlines():
        parts = line.split()
        if not parts:
            continue
        key = parts[0].lower()
        if key == "newmtl":
            name = " ".join(parts[1:])
            out[name] = [(0.8, 0.8, 0.8), 1.0, None]
        elif name is not None and key == "kd":
            out[name][0] = tuple(float(v) for v in parts[1:4])
        elif name is not None and key == "d":
            out[name][1] = float(parts[-1])
        elif name is not None and key == "map_kd":
            out[name][2] = parts[-1]
    return out


def read_obj(text):
    """Corners [n, 3, 3], texture corners [n, 3, 2] and the material name of every triangle; material libraries."""
    points, coordinates, corners, textured, used, libraries = [], [], [], [], [], []
    material = ""
    for line in text.splitlines():
        if line.startswith("v "):
            points.append(tuple(map(float, line.split()[1:4])))
        elif line.startswith("vt "):
            coordinates.append(tuple(map(float, line.split()[1:3])))
        elif line.startswith("f "):
            face = []
            for part in line.split()[1:]:
                fields = part.split("/")
                v = int(fields[0])
                t = int(fields[1]) if len(fields) > 1 and fields[1] else 0
                face.append((v - 1 if v > 0 else len(points) + v, t - 1 if t > 0 else (len(coordinates) + t if t < 0 else -1)))
            for i in range(1, len(face) - 1):
                triangle = (face[0], face[i], face[i + 1])
                corners.append([c[0] for c in triangle])
                textured.append([c[1] for c in triangle])
                used.append(material)
        elif line.startswith("usemtl"):
            material = line[6:].strip()
        elif line.startswith("mtllib"):
            libraries.append(line[6:].strip())
    if not corners:
        return None
    coordinates.append((0.0, 0.0))  # what index -1 finds
    return np.array(points)[np.array(corners)], np.array(coordinates)[np.array(textured)], np.array(used), libraries


def texture(archive, path):
    try:
        with Image.open(io.BytesIO(archive.read(path))) as image:
            return np.asarray(image.convert("RGB").resize((64, 64)), np.float32) / 255
    except (KeyError, OSError, ValueError):
        return None


def sample(archive, path, rotation, random, count=70_000):
    """(points, normals, colours) of a model in a zip archive, centred and scaled to radius 1."""
    read = read_obj(archive.read(path).decode("latin-1"))
    if read is None:
        return None
    corners, mapped, used, libraries = read
    folder = path.rsplit("/", 1)[0] + "/"
    table = {}
    for library in libraries:
        if folder + library in archive.namelist():
            table.update(materials(archive.read(folder + library).decode("latin-1")))
    corners = corners @ rotation.T
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(cross, axis=1)
    if not size.sum() > 0:
        return None
    opacity = np.ones(len(used))
    for name in set(used):
        opacity[used == name] = table.get(name, (None, 1.0, None))[1]
    weight = size * np.clip(opacity, 0.05, 1)
    chosen = random.choice(len(size), count, p=weight / weight.sum())
    a, b = random.random((2, count, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)

    def spread(values):
        v = values[chosen]
        return v[:, 0] + a * (v[:, 1] - v[:, 0]) + b * (v[:, 2] - v[:, 0])

    points, uv = spread(corners), spread(mapped)
    normals = (cross / np.maximum(size, 1e-12)[:, None])[chosen]
    colours = np.full((count, 3), 0.8, np.float32)
    for name in set(used):
        here = used[chosen] == name
        colour, _, file = table.get(name, ((0.8, 0.8, 0.8), 1.0, None))
        pixels = texture(archive, folder + file) if file else None
        if pixels is None:
            colours[here] = colour
        else:
            at = (uv[here] % 1.0 * 63.99).astype(int)
            colours[here] = pixels[63 - at[:, 1], at[:, 0]]
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) / max(1e-9, np.linalg.norm(high - low) / 2), normals, colours


def view(points, normals, colours, yaw, pitch, side=128):
    """The points seen from `yaw`, `pitch` (radians), lit from the upper left, as an RGBA picture."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    turn = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    p, n = points @ turn.T, normals @ turn.T
    near = 1 / (1 - 0.18 * p[:, 2])  # slight perspective
    x = ((p[:, 0] * near * 0.47 + 0.5) * side).astype(int)
    y = ((0.5 - p[:, 1] * near * 0.47) * side).astype(int)
    n = np.where(n[:, 2:] < 0, -n, n)  # both sides of a face are lit
    light = 0.62 + 0.42 * np.clip(n @ np.array([-0.35, 0.65, 0.67]), 0, 1)
    shade = np.clip(colours * light[:, None], 0, 1)
    order = np.argsort(p[:, 2], kind="stable")
    image = np.zeros((side + 1, side + 1, 4), np.uint8)
    paint = np.concatenate([shade * 255, np.full((len(shade), 1), 255)], 1).astype(np.uint8)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    order = order[inside[order]]
    depth = np.full((side + 1, side + 1), -9.0)
    for dy, dx in ((1, 1), (0, 1), (1, 0), (0, 0)):  # small splats close the gaps between points
        yy, xx, zz = y[order] + dy, x[order] + dx, p[order, 2] - (0.02 if dx or dy else 0)
        wins = zz >= depth[yy, xx]
        image[yy[wins], xx[wins]] = paint[order[wins]]
        depth[yy[wins], xx[wins]] = zz[wins]
    return Image.fromarray(image, "RGBA").filter(ImageFilter.MedianFilter(3))  # takes out single stray points
