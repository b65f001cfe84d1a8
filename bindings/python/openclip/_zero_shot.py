"""Zero-shot classification with numpy."""
from __future__ import annotations

from typing import Callable, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._model import CLIP
from ._tokenizer import Tokenizer

OPENAI_IMAGENET_TEMPLATES = tuple(_core.template_set("openai"))
SIMPLE_IMAGENET_TEMPLATES = tuple(_core.template_set("simple"))

Template = Union[str, Callable[[str], str]]


def softmax(x: npt.ArrayLike, axis: int = -1) -> npt.NDArray:
    """exp(x) / sum(exp(x)) along an axis, as torch's and scipy's."""
    x = np.asarray(x)
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def build_zero_shot_classifier(
        model: CLIP,
        tokenizer: Tokenizer,
        classnames: Sequence[str],
        templates: Sequence[Template],
        num_classes_per_batch: Optional[int] = 10,
        device: str = "cpu",
        use_tqdm: bool = False,
) -> npt.NDArray[np.float32]:
    """[embed_dim, classes]: for each class the normalised mean of the normalised features of its
    prompts, as open_clip's function of this name. A template is a text with '{}' or a function."""
    step = num_classes_per_batch or max(len(classnames), 1)
    columns = []
    for begin in range(0, len(classnames), step):
        names = classnames[begin:begin + step]
        prompts = [template.format(name) if isinstance(template, str) else template(name)
                   for name in names for template in templates]
        features = model.encode_text(tokenizer(prompts), normalize=True)
        means = features.reshape(len(names), len(templates), -1).mean(axis=1)
        columns.append(means / np.linalg.norm(means, axis=-1, keepdims=True))
    return np.concatenate(columns).T
