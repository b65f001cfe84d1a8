#!/usr/bin/env python3
"""Writes tests/golden/owl: a tiny OWL-ViT and a tiny OWLv2 of random numbers as transformers saves them, with
what transformers computes from them.

    tools/goldens/owl.py          needs: pip install transformers==4.57.1 torch pillow scipy safetensors

NAME/                the folder: model.safetensors (f16), config, preprocessor, tokenizer
NAME.io.safetensors  pixels and query_pixels [3, size, size] of two pictures, ids of the texts, and for the
                     first picture: logits, boxes, objectness (OWLv2), queries (text features); for the
                     second as an example of what to find in the first: query, query_logits
expected.json        detections after post-processing, in pixels, and the versions
"""
import json
import pathlib
import shutil

import numpy
import safetensors.torch
import scipy
import torch
import transformers
from PIL import Image
from transformers import (CLIPTokenizer, Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor, OwlViTConfig,
                          OwlViTForObjectDetection, OwlViTImageProcessor)

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/golden/owl"
CLIP = ROOT / "tests/golden/transformers/clip"  # its tokenizer
TEXTS = ["a red cat", "dog", "a photo of a cup"]
IMAGE, EXAMPLE = "tests/golden/image/coffee.jpg", "samples/cat.png"
MODELS = {"owlvit": (OwlViTConfig, OwlViTForObjectDetection, OwlViTImageProcessor, 48),
          "owlv2": (Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor, 56)}


def build(config_class, model_class, size):
    vocabulary = len(json.loads((CLIP / "vocab.json").read_text()))
    text = dict(vocab_size=vocabulary, hidden_size=16, intermediate_size=40, num_hidden_layers=2,
                num_attention_heads=2, max_position_embeddings=16, bos_token_id=vocabulary - 2,
                eos_token_id=vocabulary - 1)
    vision = dict(hidden_size=24, intermediate_size=50, num_hidden_layers=2, num_attention_heads=2, image_size=size,
                  patch_size=8)
    model = model_class(config_class(text_config=text, vision_config=vision, projection_dim=16)).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn_like(value)
            if name.endswith("logit_scale") and value.ndim == 0:
                continue
            if value.ndim < 2:  # norms stay near 1, biases near 0
                value.add_(0.2 * noise)
            elif "embedding" in name and "patch" not in name:
                value.copy_(0.5 * noise)
            else:
                value.copy_(noise * value[0].numel() ** -0.5)
            value.copy_(value.half())
    return model


def main():
    expected = {"texts": TEXTS, "image": IMAGE, "example": EXAMPLE,
                "versions": {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0],
                             "scipy": scipy.__version__, "numpy": numpy.__version__}}
    tokenizer = CLIPTokenizer.from_pretrained(CLIP)
    for seed, (name, (config_class, model_class, processor_class, size)) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        model = build(config_class, model_class, size)
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        model.half().save_pretrained(folder)
        model.float()
        for file in ("vocab.json", "merges.txt", "tokenizer_config.json"):
            shutil.copy(CLIP / file, folder)
        processor = processor_class(size={"height": size, "width": size})
        processor.save_pretrained(folder)
        image, example = (Image.open(ROOT / path).convert("RGB") for path in (IMAGE, EXAMPLE))
        pixels, query_pixels = (processor(x, return_tensors="pt")["pixel_values"] for x in (image, example))
        tokens = tokenizer(TEXTS, padding="max_length", max_length=16, return_tensors="pt")
        with torch.inference_mode():
            out = model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask, pixel_values=pixels)
            guided = model.image_guided_detection(pixel_values=pixels, query_pixel_values=query_pixels)
            features = model.image_embedder(query_pixels)[0]
            query, _, _ = model.embed_image_query(features.flatten(1, 2), features)
        io = {"pixels": pixels[0], "query_pixels": query_pixels[0], "ids": tokens.input_ids.int(),
              "lengths": tokens.attention_mask.sum(1).int(), "logits": out.logits[0], "boxes": out.pred_boxes[0],
              "queries": out.text_embeds[0] if out.text_embeds.ndim == 3 else out.text_embeds,
              "query": query[0], "query_logits": guided.logits[0]}
        if name == "owlv2":
            io["objectness"] = out.objectness_logits[0]
        safetensors.torch.save_file({key: value.contiguous() for key, value in io.items()},
                                    OUT / f"{name}.io.safetensors")
        threshold = float(torch.sigmoid(out.logits.max(-1).values[0]).quantile(0.6))
        found = processor.post_process_object_detection(out, threshold, [image.size[::-1]])[0]
        expected[name] = {"threshold": threshold, "detections": [
            {"label": TEXTS[label], "score": score, "box": box} for score, label, box in sorted(
                zip(found["scores"].tolist(), found["labels"].tolist(), found["boxes"].tolist()), reverse=True)]}
        print(name, len(expected[name]["detections"]), "of", out.logits.shape[1], "boxes above", round(threshold, 4))
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
