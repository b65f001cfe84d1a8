"""Pixels out of a PIL.Image, without importing PIL: whoever has such an object has PIL."""
from __future__ import annotations

import sys
from typing import Any, Mapping, Tuple

import numpy as np
import numpy.typing as npt

# Pillow's modes that the engine resizes as Pillow does: its number of the format.
_FORMAT_OF_MODE = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 5, "I;16": 6, "P": 7}
_RGB = 3
_BILEVEL = 8

Pixels = Tuple[npt.NDArray[np.uint8], int, int, int, bytes]


def pillow_pixels(image: Any, options: Mapping[str, Any]) -> Pixels:
    """(bytes, width, height, format, palette) of a PIL.Image for the engine."""
    if image.mode == "1":  # its bytes hold 8 pixels each
        return _bytes(image.convert("L"), _BILEVEL)
    if image.mode == "P":
        return _bytes(image, _FORMAT_OF_MODE["P"], bytes(image.getpalette("RGB") or b""))
    if image.mode in _FORMAT_OF_MODE and not (image.mode == "I;16" and sys.byteorder == "big"):
        return _bytes(image, _FORMAT_OF_MODE[image.mode])
    return _bytes(_resized(image, options).convert("RGB"), _RGB)


def _bytes(image: Any, pixel_format: int, palette: bytes = b"") -> Pixels:
    pixels = np.frombuffer(image.tobytes(), np.uint8)
    return pixels, image.width, image.height, pixel_format, palette


def _resized(image: Any, options: Mapping[str, Any]) -> Any:
    """Rare modes (YCbCr, HSV, LAB, I, F, PA, ...): open_clip resizes and crops in the picture's own
    mode, and Pillow is there to do it; the engine then finds the right size and only normalises."""
    height, width = options["size"]
    mode = options["resize_mode"]
    if mode == "longest" or (mode == "shortest" and height != width):
        raise ValueError(f"a picture of mode {image.mode} cannot be resized to {width}x{height} by "
                         f"'{mode}'; pass image.convert('RGB')")
    resample = {"bicubic": 3, "bilinear": 2}[options["interpolation"]]  # Image.Resampling
    if mode == "squash":
        size = (width, height)
    elif image.width <= image.height:  # torchvision's Resize(int)
        size = (width, int(width * image.height / image.width))
    else:
        size = (int(height * image.width / image.height), height)
    if image.size != size:
        image = image.resize(size, resample)
    left = int(round((image.width - width) / 2.0))
    top = int(round((image.height - height) / 2.0))
    return image.crop((left, top, left + width, top + height))
