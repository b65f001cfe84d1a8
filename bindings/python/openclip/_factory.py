"""Finding and loading models, with open_clip's function names and arguments."""
from __future__ import annotations

import logging
import os
from typing import Any, List, Optional, Sequence, Tuple, Union

from . import _core
from ._model import CLIP, check_device
from ._preprocess import Preprocess

_logger = logging.getLogger("openclip")
_TOWERS = {"both": 0, "image": 1, "text": 2}


def _load(model_name: str, pretrained: Any, precision: str, device: Any,
          **settings: Any) -> Tuple[CLIP, Preprocess]:
    check_device(device)
    options = _core.ModelOptions()
    options.pretrained = "" if pretrained is None else os.fsdecode(pretrained)
    options.precision = precision
    for name, value in settings.items():
        if value is not None:
            setattr(options, name, value)
    core, transform = _core.create(model_name, options)
    for note in core.notes:
        _logger.info(note)
    preprocess = Preprocess(transform)
    return CLIP(core, preprocess), preprocess


def _floats(values: Optional[Sequence[float]]) -> Optional[List[float]]:
    return None if values is None else [float(x) for x in values]


def _towers(name: str) -> int:
    if name not in _TOWERS:
        raise ValueError(f"towers must be one of {', '.join(_TOWERS)}, got {name!r}")
    return _TOWERS[name]


def _refuse(**given: Any) -> None:
    """Arguments of open_clip that this engine has nothing for: an ignored one would give other
    numbers without any sign."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"{name}={value!r} is not supported by openclip")


def create_model_and_transforms(
        model_name: str = "",
        pretrained: Union[str, os.PathLike, None] = None,
        load_weights: bool = True,
        precision: str = "fp32",
        device: Any = "cpu",
        jit: bool = False,
        force_quick_gelu: bool = False,
        force_custom_text: bool = False,
        force_patch_dropout: Optional[float] = None,
        force_image_size: Union[int, Tuple[int, int], None] = None,
        force_context_length: Optional[int] = None,
        image_mean: Optional[Sequence[float]] = None,
        image_std: Optional[Sequence[float]] = None,
        image_interpolation: Optional[str] = None,
        image_resize_mode: Optional[str] = None,
        aug_cfg: Any = None,
        pretrained_image: bool = False,
        pretrained_text: bool = True,
        pretrained_image_path: Optional[str] = None,
        pretrained_text_path: Optional[str] = None,
        cache_dir: Optional[str] = None,
        output_dict: Optional[bool] = None,
        weights_only: bool = True,
        *,
        threads: int = 0,
        towers: str = "both",
) -> Tuple[CLIP, None, Preprocess]:
    """(model, None, preprocess); None stands where open_clip has its training transform.

    model_name: a name of list_models(), 'hf-hub:ORG/REPO', 'local-dir:FOLDER', the path of a folder
      or of a .json config; '' is the small model that ships with openclip.
    pretrained: a tag of the model, or the path of a weights file or folder.
    threads: that a call may use; 0 = all cores. towers: 'both', 'image' or 'text'; the other one is
      neither read nor held in memory. Both are openclip's own.
    The other arguments are open_clip's; those that only torch or training can use are refused unless
    they have their default values.
    """
    if not load_weights:
        raise NotImplementedError("load_weights=False is not supported by openclip")
    _refuse(jit=jit, force_custom_text=force_custom_text, force_patch_dropout=force_patch_dropout,
            force_image_size=force_image_size, force_context_length=force_context_length,
            aug_cfg=aug_cfg, pretrained_image=pretrained_image,
            pretrained_image_path=pretrained_image_path, pretrained_text_path=pretrained_text_path,
            output_dict=output_dict)
    model, preprocess = _load(
        model_name, pretrained, precision, device, force_quick_gelu=force_quick_gelu,
        image_mean=_floats(image_mean), image_std=_floats(image_std),
        image_interpolation=image_interpolation, image_resize_mode=image_resize_mode,
        cache_dir=cache_dir, threads=threads, towers=_towers(towers))
    return model, None, preprocess


def create_model_from_pretrained(
        model_name: str = "",
        pretrained: Union[str, os.PathLike, None] = None,
        precision: str = "fp32",
        device: Any = "cpu",
        jit: bool = False,
        force_quick_gelu: bool = False,
        force_custom_text: bool = False,
        force_image_size: Union[int, Tuple[int, int], None] = None,
        force_context_length: Optional[int] = None,
        image_mean: Optional[Sequence[float]] = None,
        image_std: Optional[Sequence[float]] = None,
        image_interpolation: Optional[str] = None,
        image_resize_mode: Optional[str] = None,
        return_transform: bool = True,
        cache_dir: Optional[str] = None,
        weights_only: bool = True,
        *,
        threads: int = 0,
        towers: str = "both",
) -> Union[CLIP, Tuple[CLIP, Preprocess]]:
    """(model, preprocess), or the model alone if return_transform is False; the arguments are those
    of create_model_and_transforms."""
    _refuse(jit=jit, force_custom_text=force_custom_text, force_image_size=force_image_size,
            force_context_length=force_context_length)
    model, preprocess = _load(
        model_name, pretrained, precision, device, force_quick_gelu=force_quick_gelu,
        image_mean=_floats(image_mean), image_std=_floats(image_std),
        image_interpolation=image_interpolation, image_resize_mode=image_resize_mode,
        cache_dir=cache_dir, threads=threads, towers=_towers(towers))
    return (model, preprocess) if return_transform else model


def create_model(model_name: str = "", pretrained: Union[str, os.PathLike, None] = None,
                 precision: str = "fp32", device: Any = "cpu", **options: Any) -> CLIP:
    """The model alone; the arguments are those of create_model_and_transforms."""
    return create_model_and_transforms(model_name, pretrained, precision=precision, device=device,
                                       **options)[0]


def list_models() -> List[str]:
    """Names of the models that are known, sorted."""
    return _core.list_models()


def list_pretrained(as_str: bool = False) -> Union[List[str], List[Tuple[str, str]]]:
    """(model, tag) of all published checkpoints, or 'model:tag'."""
    pairs = _core.list_pretrained()
    return [f"{model}:{tag}" for model, tag in pairs] if as_str else pairs


def list_pretrained_models_by_tag(tag: str) -> List[str]:
    """Models that have a checkpoint of this tag."""
    return [model for model, known in _core.list_pretrained() if known == tag]


def list_pretrained_tags_by_model(model: str) -> List[str]:
    """Tags of a model's checkpoints."""
    return [tag for known, tag in _core.list_pretrained() if known == model]
