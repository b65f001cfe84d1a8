#!/usr/bin/env python3
"""Writes tests/golden/image/: pictures of every kind with what Pillow and open_clip make of them.

    python3 tools/goldens/image.py        (needs Pillow, torchvision, open_clip_torch 3.3.0)

The pictures are made here, but for the photographs (see the README there), which must lie there.
index.json: versions, and for each file Pillow's mode, size and the CRC-32 of its pixels and
palette, and the CRC-32 of the pixels that open_clip's eval transform gives, before normalisation,
for several settings. *.npy: some of these pixels, and normalised ones, in full.
"""
import io
import json
import pathlib
import random
import struct
import zlib

import numpy as np
import open_clip
import PIL
import torch
import torchvision
from PIL import Image
from open_clip.transform import image_transform

from image_files import bmp, bmp_rows, gif, png, rle4, rle8

OUT = pathlib.Path(__file__).parent.parent.parent / "tests/golden/image"
PHOTOS = ["astronaut.jpg", "coffee.jpg", "chelsea.jpg"]
SETTINGS = [  # height, width, resize_mode, interpolation, fill
    (224, 224, "shortest", "bicubic", 0), (64, 64, "shortest", "bilinear", 0),
    (64, 64, "squash", "bicubic", 0), (64, 64, "squash", "bilinear", 0),
    (64, 64, "longest", "bicubic", 0), (96, 40, "longest", "bilinear", 127),
    (48, 80, "shortest", "bilinear", 0)]
IN_FULL = {("astronaut.jpg", 0), ("chelsea.jpg", 4), ("palette.gif", 0), ("rgba8.png", 1)}
NORMALISED = ["coffee.jpg", "la8.png"]
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def scene(width, height, seed=0):
    """Soft shapes and fine noise, as RGB: what photographs are to a decoder."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    planes = []
    for _ in range(3):
        a, b, c, d = rng.uniform(2, 9, 4)
        planes.append(np.sin(a * x + b * y) + np.sin(c * x * y + d) + (np.hypot(x - .4, y - .3) < .2))
    noise = rng.normal(0, 0.08, (height, width, 3))
    return Image.fromarray(np.uint8(np.clip((np.stack(planes, 2) + noise + 2) * 60, 0, 255)))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpegs():
    picture = scene(125, 83)
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"rgb_{name}.jpg", saved(picture, "JPEG", subsampling=sampling, quality=85)
    yield "progressive.jpg", saved(picture, "JPEG", progressive=True, quality=90)
    yield "progressive_444.jpg", saved(picture, "JPEG", progressive=True, quality=30, subsampling=0)
    yield "grey.jpg", saved(picture.convert("L"), "JPEG")
    yield "grey_progressive.jpg", saved(picture.convert("L"), "JPEG", progressive=True)
    cmyk = Image.merge("CMYK", [*scene(61, 47, 3).split(), scene(61, 47, 4).getchannel(0)])
    inks = saved(cmyk, "JPEG", quality=95)
    yield "cmyk.jpg", inks
    yield "cmyk_progressive.jpg", saved(cmyk, "JPEG", progressive=True)
    at = inks.index(b"Adobe") + 11  # the colour transform: 2 says YCCK
    yield "ycck.jpg", inks[:at] + b"\2" + inks[at + 1:]
    yield "stored_rgb.jpg", saved(picture, "JPEG", keep_rgb=True)
    yield "restarts.jpg", saved(picture, "JPEG", restart_marker_rows=1)
    turned = Image.Exif()
    turned[0x112] = 6  # orientation: not applied
    yield "oriented.jpg", saved(picture, "JPEG", exif=turned)
    yield "trailing.jpg", saved(picture, "JPEG") + b"more bytes after the end\xff\xd8"
    for width, height in ((1, 1), (3, 2), (1, 300), (17, 9), (500, 333), (10000, 10)):
        yield f"size_{width}x{height}.jpg", saved(scene(width, height, 7), "JPEG", quality=60)


def pngs():
    rng = random.Random(5)
    base = np.asarray(scene(33, 21, 1))
    for color, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
            def pixel(values):
                values = [*map(int, values), rng.randrange(256)]
                if channels < 3:
                    values = [values[0], rng.choice((0, 255, rng.randrange(256)))]
                wide = [value * 256 + rng.randrange(256) for value in values[:channels]]
                return tuple(value >> (16 - depth) for value in wide)
            rows = [[pixel(values) for values in row] for row in base]
            palette = bytes(rng.randrange(256) for _ in range(3 << depth)) if color == 3 else b""
            kind = {0: "grey", 2: "rgb", 3: "palette", 4: "la", 6: "rgba"}[color]
            yield f"{kind}{depth}.png", png(rows, color, depth, palette=palette)
            yield f"{kind}{depth}_interlaced.png", png(rows, color, depth, True, palette)
            if color in (0, 2) and depth >= 8:
                trns = [(b"tRNS", struct.pack(f">{channels}H", *rows[3][3]))]
                yield f"{kind}{depth}_trns.png", png(rows, color, depth, before_data=trns)
            if color == 3:
                some = [(b"tRNS", bytes(rng.randrange(256) for _ in range(2)))]
                yield f"{kind}{depth}_trns.png", png(rows, color, depth, palette=palette, before_data=some)
    rows = [[(int(v[0]) % 40,) for v in row] for row in base]
    short = bytes(rng.randrange(256) for _ in range(3 * 20))
    yield "palette_too_short.png", png(rows, 3, 8, palette=short)
    rows = [[tuple(map(int, v)) for v in row] for row in base]
    yield "gamma.png", png(rows, 2, 8, before_data=[(b"gAMA", struct.pack(">I", 100000)), (b"sBIT", b"\5\6\5")])
    yield "suggested_palette.png", png(rows, 2, 8, palette=short)
    yield "texts.png", png(rows, 2, 8, before_data=[(b"tEXt", b"Title\0made here"), (b"prVt", b"own")],
                           after_data=[(b"zTXt", b"Note\0\0" + zlib.compress(b"text" * 100))])
    yield "trailing.png", png(rows, 2, 8) + b"trailing bytes"
    yield "filters.png", saved(scene(125, 83), "PNG")
    for width, height in ((1, 1), (3, 2), (1, 300), (10000, 10), (300, 2000)):
        yield f"size_{width}x{height}.png", saved(scene(width, height, 8).quantize(16), "PNG")
    for mode in ("1", "L", "LA", "RGBA"):
        yield f"tall_{mode.lower()}.png", saved(scene(20, 400, 9).convert(mode), "PNG")


def webps():
    picture = scene(125, 83, 2)
    alpha = picture.copy()
    alpha.putalpha(scene(125, 83, 6).getchannel(1).point(lambda v: 0 if v < 90 else v))
    yield "lossy.webp", saved(picture, "WEBP", quality=80)
    yield "lossless.webp", saved(scene(37, 23, 2), "WEBP", lossless=True)
    yield "lossy_alpha.webp", saved(alpha, "WEBP", quality=60)
    yield "lossless_alpha.webp", saved(alpha.crop((0, 0, 37, 23)), "WEBP", lossless=True, exact=True)
    frames = [scene(40, 30, seed) for seed in (1, 2)]
    yield "animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    clear = Image.new("RGBA", (60, 50))
    clear.paste(alpha.crop((0, 0, 20, 20)), (30, 20))
    yield "animated_alpha.webp", saved(clear, "WEBP", save_all=True, append_images=[frames[1].resize((60, 50))])
    yield "metadata.webp", saved(picture.crop((0, 0, 20, 20)), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    yield "size_1x1.webp", saved(scene(1, 1), "WEBP")
    yield "size_1x300.webp", saved(scene(1, 300), "WEBP")


def gifs():
    picture = scene(73, 41, 3)
    yield "palette.gif", saved(picture.quantize(64), "GIF", interlace=0)
    yield "interlaced.gif", saved(picture.quantize(64), "GIF", interlace=1)
    yield "grey.gif", saved(picture.convert("L"), "GIF")
    yield "bits.gif", saved(picture.convert("1"), "GIF")
    yield "transparent.gif", saved(picture.quantize(16), "GIF", transparency=3)
    more = [scene(73, 41, seed).quantize(32) for seed in (4, 5)]
    yield "animated.gif", saved(more[0], "GIF", save_all=True, append_images=more[1:], duration=50)
    rng = random.Random(3)
    rows = [[rng.randrange(256) for _ in range(19)] for _ in range(11)]
    table, other = (bytes(rng.randrange(256) for _ in range(768)) for _ in range(2))
    ramp = bytes(v for v in range(256) for _ in range(3))
    yield "offset.gif", gif((30, 20), (5, 4, 19, 11), rows, table)
    yield "offset_transparent.gif", gif((30, 20), (5, 4, 19, 11), rows, table, transparent=9, interlaced=True)
    yield "local_palette.gif", gif((19, 11), (0, 0, 19, 11), rows, table, other)
    yield "local_grey.gif", gif((19, 11), (0, 0, 19, 11), rows, table, ramp)
    yield "no_palette.gif", gif((19, 11), (0, 0, 19, 11), rows)
    yield "frame_beyond_screen.gif", gif((8, 8), (2, 3, 19, 11), rows, table)
    yield "size_1x1.gif", gif((1, 1), (0, 0, 1, 1), [[7]], table)


def bmps():
    rng = random.Random(4)
    base = np.asarray(scene(35, 19, 4)).astype(int)
    for bits in (1, 4, 8):
        rows = [[int(v[0]) >> (8 - bits) for v in row] for row in base]
        colors = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(1 << bits)]
        yield f"palette{bits}.bmp", bmp(35, 19, bits, bmp_rows(rows, bits), colors)
        yield f"os2_{bits}.bmp", bmp(35, 19, bits, bmp_rows(rows, bits), colors, header=12)
        greys = [(v * 255 // ((1 << bits) - 1),) * 3 for v in range(1 << bits)]
        yield f"grey{bits}.bmp", bmp(35, 19, bits, bmp_rows(rows, bits), greys)
        if bits == 8:
            yield "rle8.bmp", bmp(35, 19, 8, rle8(rows), colors, compression=1)
            yield "rle8_grey.bmp", bmp(35, 19, 8, rle8(rows), greys, compression=1)
            yield "top_down8.bmp", bmp(35, 19, 8, bmp_rows(rows, 8, True), colors, top_down=True)
            yield "few_colors.bmp", bmp(35, 19, 8, bmp_rows([[v % 7 for v in r] for r in rows], 8), colors[:7])
        if bits == 4:
            yield "rle4.bmp", bmp(35, 19, 4, rle4(rows), colors, compression=2)
    def packed(r, g, b, a=None):
        return [[sum((int(v) >> (8 - n)) << s for v, (n, s) in zip((*p, (p[0] * 7) % 256), (r, g, b, a or (0, 0))))
                 for p in row] for row in base]
    rgb = ((8, 16), (8, 8), (8, 0))
    yield "rgb555.bmp", bmp(35, 19, 16, bmp_rows(packed((5, 10), (5, 5), (5, 0)), 16))
    yield "rgb565.bmp", bmp(35, 19, 16, bmp_rows(packed((5, 11), (6, 5), (5, 0)), 16), compression=3,
                            masks=(0xF800, 0x7E0, 0x1F))
    yield "rgb24.bmp", bmp(35, 19, 24, bmp_rows(packed(*rgb), 24))
    yield "top_down24.bmp", bmp(35, 19, 24, bmp_rows(packed(*rgb), 24, True), top_down=True)
    yield "rgb32.bmp", bmp(35, 19, 32, bmp_rows(packed(*rgb, (8, 24)), 32))
    for name, order in (("bgra", (16, 8, 0, 24)), ("rgba", (0, 8, 16, 24)), ("abgr", (24, 16, 8, 0))):
        fields = [(8, shift) for shift in order]
        masks = [255 << shift for shift in order]
        data = bmp_rows(packed(*fields), 32)
        yield f"{name}32.bmp", bmp(35, 19, 32, data, compression=3, masks=masks, header=108)
    yield "size_3x2.bmp", saved(scene(3, 2), "BMP")


def crc(array):
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def crops_of(image):
    """For each setting, the pixels before normalisation, or the text of Python's error."""
    for height, width, mode, interpolation, fill in SETTINGS:
        size = height if height == width else (height, width)
        transform = image_transform(size, False, MEAN, STD, mode, interpolation, fill)
        to_tensor = next(i for i, t in enumerate(transform.transforms) if "Tensor" in type(t).__name__)
        try:
            for step in transform.transforms[:to_tensor]:
                image_now = step(image_now if step is not transform.transforms[0] else image)
        except (ValueError, MemoryError, TypeError) as error:
            yield None, str(error)
            continue
        pixels = np.asarray(image_now)
        assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
        yield pixels, transform


def describe(name, data):
    image = Image.open(io.BytesIO(data))
    image.load()
    pixels = np.asarray(image)
    if image.mode == "1":
        pixels = pixels.astype(np.uint8) * 255
    entry = {"file": name, "mode": image.mode, "width": image.width, "height": image.height, "pixels": crc(pixels)}
    if image.mode == "P":
        entry["palette"] = crc(np.frombuffer(bytes(image.getpalette("RGB")).ljust(768, b"\0"), np.uint8))
    entry["crops"] = []
    stem = name.replace(".", "_")
    for i, (pixels, transform) in enumerate(crops_of(image)):
        entry["crops"].append(None if pixels is None else crc(pixels))
        if pixels is None:
            print(f"{name}: setting {i} fails in Python: {transform}")
            continue
        if (name, i) in IN_FULL:
            np.save(OUT / f"{stem}_{i}.npy", pixels)
        if name in NORMALISED and i == 2:
            np.save(OUT / f"{stem}_{i}_normalised.npy", transform(image).numpy())
    return entry


def main():
    torch.set_num_threads(1)
    files = dict([*jpegs(), *pngs(), *webps(), *gifs(), *bmps()])
    for name, data in files.items():
        (OUT / name).write_bytes(data)
    for name in PHOTOS:
        files[name] = (OUT / name).read_bytes()
    index = {"versions": {"pillow": PIL.__version__, "torchvision": torchvision.__version__.split("+")[0],
                          "open_clip": open_clip.__version__, "numpy": np.__version__},
             "settings": [dict(zip(("height", "width", "resize_mode", "interpolation", "fill"), s)) for s in SETTINGS],
             "in_full": [{"file": name, "setting": i} for name, i in sorted(IN_FULL)],
             "normalised": [{"file": name, "setting": 2, "mean": MEAN, "std": STD} for name in NORMALISED]}
    lines = json.dumps(index, indent=1)[:-2] + ',\n "files": [\n'
    lines += ",\n".join("  " + json.dumps(describe(name, data)) for name, data in files.items())
    (OUT / "index.json").write_text(lines + "\n ]\n}\n")


if __name__ == "__main__":
    main()
