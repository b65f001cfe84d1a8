"""A loaded model with open_clip's methods on numpy arrays."""
from __future__ import annotations

import json
from typing import Any, Dict, Optional, Tuple

import numpy as np
import numpy.typing as npt

from . import _core
from ._preprocess import Preprocess

Features = npt.NDArray[np.float32]


class VisionTower:
    """What open_clip users read from `model.visual`."""

    def __init__(self, preprocess: Preprocess) -> None:
        self.image_size: Tuple[int, int] = preprocess.image_size
        self.preprocess_cfg: Dict[str, Any] = preprocess.preprocess_cfg
        self.image_mean: Tuple[float, ...] = self.preprocess_cfg["mean"]
        self.image_std: Tuple[float, ...] = self.preprocess_cfg["std"]


class CLIP:
    """An image tower and a text tower that share one space. Immutable; usable from any number of
    threads at once, and the GIL is released while they compute.

    Float32 arrays in C order are read where they lie, and results are written where they stay.
    """

    def __init__(self, core: _core.Model, preprocess: Preprocess) -> None:
        self._core = core
        self.visual = VisionTower(preprocess)

    def encode_image(self, image: npt.ArrayLike, normalize: bool = False,
                     out: Optional[Features] = None) -> Features:
        """Features [n, embed_dim] of pictures [n, 3, height, width].

        out: an array of that shape to write to; it is also what is returned."""
        pixels = np.ascontiguousarray(image, dtype=np.float32)
        if out is None:
            return self._core.encode_image(pixels, normalize)
        self._core.encode_image_into(pixels, out, normalize)
        return out

    def encode_text(self, text: npt.ArrayLike, normalize: bool = False,
                    out: Optional[Features] = None) -> Features:
        """Features [n, embed_dim] of token ids [n, context_length]."""
        ids = np.ascontiguousarray(text, dtype=np.int32)
        if ids.ndim != 2:
            raise ValueError(f"expected token ids [n, context_length], got {list(ids.shape)}")
        if out is None:
            return self._core.encode_text(ids, normalize)
        self._core.encode_text_into(ids, out, normalize)
        return out

    def generate(self, image: npt.ArrayLike, seq_len: int = 30, temperature: float = 1.0,
                 generation_type: str = "beam_search", top_p: float = 0.1, top_k: int = 1,
                 eos_token_id: Optional[int] = None, sot_token_id: Optional[int] = None,
                 num_beams: int = 6, num_beam_groups: int = 3, min_seq_len: int = 5,
                 repetition_penalty: float = 1.0, fixed_output_length: bool = False,
                 seed: int = 0) -> npt.NDArray[np.int64]:
        """Captions that a CoCa writes about pictures [n, 3, height, width]: token ids [n, longest]
        from the start token on, padded with 0; `openclip.decode(ids[0])` is the text.

        generation_type: 'beam_search', 'top_k' (top_k=1: greedy) or 'top_p'. The first two (top_k=1)
        give open_clip's ids one for one. seed: of drawing, which open_clip takes from torch."""
        options = _core.GenerateOptions()
        options.seq_len, options.min_seq_len = seq_len, min_seq_len
        options.generation_type, options.temperature = generation_type, temperature
        options.top_p, options.top_k, options.seed = top_p, top_k, seed
        options.num_beams, options.num_beam_groups = num_beams, num_beam_groups
        options.repetition_penalty = repetition_penalty
        if sot_token_id is not None:
            options.sot_token_id = sot_token_id
        if eos_token_id is not None:
            options.eos_token_id = eos_token_id
        ids = self._core.generate(np.ascontiguousarray(image, dtype=np.float32), options)
        if fixed_output_length and ids.shape[1] < seq_len:
            ids = np.pad(ids, ((0, 0), (0, seq_len - ids.shape[1])))
        return ids

    def get_logits(self, image: npt.ArrayLike, text: npt.ArrayLike) -> Tuple[Features, Features]:
        """exp(logit_scale) times the cosines (plus logit_bias), by image and by text."""
        logits = np.exp(self.logit_scale) * self.encode_image(image, True) @ self.encode_text(
            text, True).T
        if self.logit_bias is not None:
            logits += self.logit_bias
        return logits, logits.T

    def __call__(self, image: Optional[npt.ArrayLike] = None,
                 text: Optional[npt.ArrayLike] = None) -> Tuple[Any, ...]:
        """(normalised image features, normalised text features, exp(logit_scale)) and logit_bias
        where the model has one; None for what was not given."""
        image_features = None if image is None else self.encode_image(image, True)
        text_features = None if text is None else self.encode_text(text, True)
        found = image_features, text_features, np.exp(self.logit_scale)
        return found if self.logit_bias is None else (*found, self.logit_bias)

    forward = __call__

    @property
    def logit_scale(self) -> np.float32:
        """The logarithm of the factor of cosines before the softmax: np.exp(model.logit_scale)."""
        return np.float32(self._core.logit_scale)

    @property
    def logit_bias(self) -> Optional[np.float32]:
        bias = self._core.logit_bias
        return None if bias is None else np.float32(bias)

    @property
    def name(self) -> str:
        return self._core.name

    @property
    def embed_dim(self) -> int:
        return self._core.embed_dim

    @property
    def image_size(self) -> int:
        """Height and width of the pictures, pixels."""
        return self._core.image_size

    @property
    def context_length(self) -> int:
        return self._core.context_length

    @property
    def vocab_size(self) -> int:
        return self._core.vocab_size

    @property
    def config(self) -> Dict[str, Any]:
        """open_clip's model_cfg."""
        return json.loads(self._core.config)

    def eval(self) -> "CLIP":
        """Does nothing: there is no training mode. Kept so that open_clip's programs run."""
        return self

    def to(self, device: Any) -> "CLIP":
        """Does nothing for 'cpu', the only device."""
        check_device(device)
        return self

    def __repr__(self) -> str:
        return f"CLIP({self.name}: {self.image_size} pixels, {self.embed_dim} dimensions)"


def check_device(device: Any) -> None:
    if str(device) != "cpu":
        raise ValueError(f"device must be 'cpu', got {str(device)!r}")
