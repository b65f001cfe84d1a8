"""From pictures to what an image tower sees."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._pillow import pillow_pixels

if TYPE_CHECKING:
    import PIL.Image

OPENAI_DATASET_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_DATASET_STD = (0.26862954, 0.26130258, 0.27577711)

# Of numpy arrays [height, width] and [height, width, channels].
_FORMAT_OF_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4}


class Preprocess:
    """open_clip's evaluation transform: call it with a picture, get float32 [3, height, width].

    A picture is a PIL.Image, a path, the bytes of a file, or a uint8 array [height, width] (grey),
    [height, width, 3] (RGB) or [height, width, 4] (RGBA). Thread-safe; the GIL is released.
    The result equals that of open_clip with Pillow to the last bit.
    """

    def __init__(self, core: _core.Preprocess) -> None:
        self._core = core

    def __call__(self, image: Union["PIL.Image.Image", str, os.PathLike, bytes, bytearray,
                                    memoryview, npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        if isinstance(image, (str, os.PathLike)):
            return self._core.file(os.fsdecode(image))
        if isinstance(image, (bytes, bytearray, memoryview)):
            return self._core.bytes(bytes(image))
        if isinstance(image, np.ndarray):
            return self._array(image)
        if hasattr(image, "mode") and hasattr(image, "tobytes"):
            return self._core.pixels(*pillow_pixels(image, self._core.options))
        raise TypeError("expected a PIL.Image, a path, bytes or a uint8 array, got "
                        f"{type(image).__name__}")

    def _array(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        channels = 1 if image.ndim == 2 else image.shape[2] if image.ndim == 3 else 0
        if image.dtype != np.uint8 or channels not in _FORMAT_OF_CHANNELS:
            raise ValueError("expected a uint8 array [height, width] or [height, width, 1 to 4], "
                             f"got {image.dtype} {list(image.shape)}")
        return self._core.pixels(np.ascontiguousarray(image), image.shape[1], image.shape[0],
                                 _FORMAT_OF_CHANNELS[channels], b"")

    @property
    def image_size(self) -> Tuple[int, int]:
        """(height, width) of the result."""
        return self._core.options["size"]

    @property
    def preprocess_cfg(self) -> dict:
        """open_clip's preprocess_cfg."""
        return {"mode": "RGB", **self._core.options}

    def __repr__(self) -> str:
        return f"Preprocess({self._core.options})"


def image_transform(
        image_size: Union[int, Tuple[int, int]],
        is_train: bool = False,
        mean: Optional[Sequence[float]] = None,
        std: Optional[Sequence[float]] = None,
        resize_mode: Optional[str] = None,
        interpolation: Optional[str] = None,
        fill_color: int = 0,
) -> Preprocess:
    """A transform of its own settings, as open_clip.image_transform(is_train=False)."""
    if is_train:
        raise ValueError("is_train: openclip has no training transforms; openclip-train does that")
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return Preprocess(_core.Preprocess(
        height, width, list(mean or OPENAI_DATASET_MEAN), list(std or OPENAI_DATASET_STD),
        interpolation or "bicubic", resize_mode or "shortest", fill_color))
