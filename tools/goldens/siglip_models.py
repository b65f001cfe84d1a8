#!/usr/bin/env python3
"""Writes tests/golden/siglip: tiny SiglipModels of random numbers as transformers saves them, and the features
that it computes from them.

    tools/goldens/siglip_models.py [DIR]
    needs: pip install transformers open_clip_torch==3.3.0 torch pillow sentencepiece protobuf

siglip/ and siglip2/   config.json, preprocessor_config.json, model.safetensors (f16; bf16 for siglip2); the
                       tokenizer is that of tests/golden/tokenizers/{siglip,gemma}, put beside them by the test
expected.json          texts, pictures, ids (of open_clip's HFTokenizer with canonicalised text, as SigLIP was
                       trained) and features; its "versions" name the packages
"""
import json
import pathlib
import sys

import open_clip
import torch
import transformers
from open_clip.tokenizer import HFTokenizer
from PIL import Image
from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = ["a photo of a cat", "Two DOGS, near the sea!", "猫の写真", "x " * 40, ""]
IMAGES = ["samples/cat.png", "tests/golden/image/coffee.jpg"]
CASES = {"siglip": ("siglip", torch.float16, dict(vocab_size=500, hidden_act="gelu_pytorch_tanh")),
         "siglip2": ("gemma", torch.bfloat16, dict(vocab_size=700, hidden_act="gelu"))}


def build(text, dtype, seed):
    torch.manual_seed(seed)
    config = SiglipConfig(
        text_config=dict(text, hidden_size=24, intermediate_size=50, num_hidden_layers=2, num_attention_heads=2,
                         max_position_embeddings=16),
        vision_config=dict(hidden_size=24, intermediate_size=58, num_hidden_layers=2, num_attention_heads=3,
                           image_size=28, patch_size=8, hidden_act=text["hidden_act"]))
    model = SiglipModel(config).eval()
    with torch.no_grad():
        for value in model.parameters():
            noise = torch.randn_like(value)
            wide = noise * (0.5 if value.ndim < 2 else value[0].numel() ** -0.5)
            value.copy_((value + 0.2 * noise if value.ndim < 2 else wide).to(dtype).float())
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-3.0)
    return model


def pooled(features):
    return (features if torch.is_tensor(features) else features.pooler_output).tolist()


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/golden/siglip"
    expected = {"versions": {"transformers": transformers.__version__, "open_clip": open_clip.__version__,
                             "torch": torch.__version__.split("+")[0]}, "texts": TEXTS, "images": IMAGES}
    processor = SiglipImageProcessor(size={"height": 28, "width": 28})
    for seed, (name, (tokenizer, dtype, text)) in enumerate(CASES.items()):
        model = build(text, dtype, seed)
        ids = HFTokenizer(str(ROOT / "tests/golden/tokenizers" / tokenizer), context_length=16,
                          clean="canonicalize")(TEXTS)
        pixels = processor([Image.open(ROOT / path).convert("RGB") for path in IMAGES],
                           return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            expected[name] = {"tokenizer": tokenizer, "ids": ids.tolist(),
                              "image_features": pooled(model.get_image_features(pixel_values=pixels)),
                              "text_features": pooled(model.get_text_features(input_ids=ids))}
        model.to(dtype).save_pretrained(folder / name)
        processor.save_pretrained(folder / name)
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
