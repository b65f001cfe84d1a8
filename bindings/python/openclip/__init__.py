"""CLIP and OpenCLIP models without torch: open_clip's names on numpy arrays.

    import openclip as open_clip

    model, _, preprocess = open_clip.create_model_and_transforms('ViT-B-32', pretrained='laion2b_s34b_b79k')
    tokenizer = open_clip.get_tokenizer('ViT-B-32')

docs/api.md has open_clip's own example beside this package's.
"""
from . import _core
from ._errors import (Cancelled, Error, InvalidArgument, IoError, NetworkError, NotFound, ParseError,
                      Unsupported)
from ._factory import (create_model, create_model_and_transforms, create_model_from_pretrained,
                       list_models, list_pretrained, list_pretrained_models_by_tag,
                       list_pretrained_tags_by_model)
from ._model import CLIP
from ._preprocess import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD, Preprocess, image_transform
from ._tokenizer import Tokenizer, decode, get_tokenizer, tokenize
from ._zero_shot import (OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES,
                         build_zero_shot_classifier, softmax)

__version__ = _core.version()

__all__ = [
    "CLIP", "Cancelled", "Error", "InvalidArgument", "IoError", "NetworkError", "NotFound",
    "OPENAI_DATASET_MEAN", "OPENAI_DATASET_STD", "OPENAI_IMAGENET_TEMPLATES", "ParseError",
    "Preprocess", "SIMPLE_IMAGENET_TEMPLATES", "Tokenizer", "Unsupported", "__version__",
    "build_zero_shot_classifier", "create_model", "create_model_and_transforms",
    "create_model_from_pretrained", "decode", "get_tokenizer", "image_transform", "list_models",
    "list_pretrained", "list_pretrained_models_by_tag", "list_pretrained_tags_by_model", "softmax",
    "tokenize",
]
