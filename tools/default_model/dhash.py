"""Difference hashes: 64 bits that stay nearly equal when a picture is scaled, recompressed or recoloured a little."""

import numpy as np
from PIL import Image

from common import on_white


def dhash(image):
    """The hash of a picture shown on white."""
    grey = np.asarray(on_white(image).convert("L").resize((9, 8), Image.BILINEAR), np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int(np.packbits(bits).view(">u8")[0])


def near(query, hashes, limit=8):
    """Indices of the hashes within `limit` bits of `query`."""
    different = np.asarray(hashes, np.uint64) ^ np.uint64(query)
    bits = np.unpackbits(different.view(np.uint8).reshape(-1, 8), axis=1).sum(1)
    return np.flatnonzero(bits <= limit)
