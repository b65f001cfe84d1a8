"""From texts to token ids."""
from __future__ import annotations

import functools
from typing import List, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core

DEFAULT_CONTEXT_LENGTH = 77


class Tokenizer:
    """A model's tokenizer; call it with a text or texts, get int64 [texts, context_length].

    Ids equal those of open_clip's tokenizers. A text that is too long is cut, and its last id is
    the end token; `truncated(texts)` tells which. Thread-safe; the GIL is released.
    """

    def __init__(self, core: _core.Tokenizer) -> None:
        self._core = core

    def __call__(self, texts: Union[str, Sequence[str]],
                 context_length: Optional[int] = None) -> npt.NDArray[np.int64]:
        return self._core.tokenize(_list(texts), context_length or 0)[0]

    def truncated(self, texts: Union[str, Sequence[str]],
                  context_length: Optional[int] = None) -> List[int]:
        """Numbers of the texts that are longer than the context."""
        return self._core.tokenize(_list(texts), context_length or 0)[1]

    def encode(self, text: str) -> List[int]:
        """The ids of the text alone: no start, end or padding, never cut."""
        return self._core.encode(text)

    def decode(self, ids: Union[Sequence[int], npt.NDArray[np.integer]]) -> str:
        """The text that ids stand for."""
        return self._core.decode([int(i) for i in ids])

    @property
    def context_length(self) -> int:
        return self._core.context_length

    @property
    def vocab_size(self) -> int:
        return self._core.vocab_size

    @property
    def sot_token_id(self) -> int:
        return self._core.sot_token_id

    @property
    def eot_token_id(self) -> int:
        return self._core.eot_token_id

    @property
    def pad_token_id(self) -> int:
        return self._core.pad_token_id


def _list(texts: Union[str, Sequence[str]]) -> List[str]:
    return [texts] if isinstance(texts, str) else list(texts)


def get_tokenizer(model_name: str = "", context_length: Optional[int] = None,
                  cache_dir: Optional[str] = None) -> Tokenizer:
    """The tokenizer of a model, named as in create_model_and_transforms; '' is the shipped one."""
    return Tokenizer(_core.get_tokenizer(model_name, context_length or 0, cache_dir or ""))


@functools.lru_cache(maxsize=None)
def _clip_tokenizer() -> Tokenizer:
    return get_tokenizer("ViT-B-32")


def tokenize(texts: Union[str, Sequence[str]],
             context_length: int = DEFAULT_CONTEXT_LENGTH) -> npt.NDArray[np.int64]:
    """Token ids by CLIP's own tokenizer, whatever the model."""
    return _clip_tokenizer()(texts, context_length)


def decode(output_ids: Union[Sequence[int], npt.NDArray[np.integer]]) -> str:
    """The text that ids of CLIP's own tokenizer stand for."""
    return _clip_tokenizer().decode(output_ids)
