"""Finds nearly equal pictures: difference hashes to look for them, pixels to be sure.

Hashes alone are not enough here: drawings on white are mostly flat, and two flat pictures of different things often
agree in 56 of 64 bits.
"""

import numpy as np
from PIL import Image

from common import crop, on_white

SAME = 0.12  # difference at 24 x 24 as a share of both pictures' ink, below which they are taken for copies


def framed(image, side):
    """The content of a picture on a white square; pictures without transparency are cut to what is not white."""
    image = image.convert("RGBA")
    if image.getextrema()[3][0] == 255:
        image.putalpha(image.convert("L").point(lambda v: 0 if v > 248 else 255))
        cut = crop(image, 0) or image
        cut.putalpha(255)
    else:
        cut = crop(image, 0) or image
    picture = on_white(cut)
    size = max(picture.size)
    out = Image.new("RGB", (size, size), (255, 255, 255))
    out.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
    return out.resize((side, side), Image.BILINEAR)


def dhash(image):
    """64 bits: whether each of 9 x 8 grey values is less than its right neighbour."""
    grey = np.asarray(framed(image, 36).convert("L").resize((9, 8), Image.BILINEAR), np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int(np.packbits(bits).view(">u8")[0])


def small(image):
    return np.asarray(framed(image, 24), np.float32)


def near(query, hashes, limit=8):
    """Indices of the hashes within `limit` bits of `query`."""
    different = np.asarray(hashes, np.uint64) ^ np.uint64(query)
    bits = np.unpackbits(different.view(np.uint8).reshape(-1, 8), axis=1).sum(1)
    return np.flatnonzero(bits <= limit)


def copies(a, b):
    """Whether two `small` pictures show the same drawing, perhaps mirrored."""
    ink = (255 - a).sum() + (255 - b).sum()
    return min(np.abs(a - b).sum(), np.abs(a[:, ::-1] - b).sum()) < SAME * ink
