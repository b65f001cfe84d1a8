#!/usr/bin/env python3
"""Compares `detect` with transformers on OWL-ViT and OWLv2 of their real sizes and random weights.

    tools/parity_owl.py [--openclip build/openclip] [--models NAME,NAME] [--tolerance 1e-4] [IMAGE…]
    needs: pip install transformers==4.57.1 torch pillow scipy

The configurations of google's five models (base and large; 12 GB for the largest) are filled with random numbers
(nothing is downloaded; CLIP's vocabulary is the one that `openclip convert` writes) and saved by
transformers. Every box and score of post_process_object_detection must have a detection of the same label,
with a score and corners (parts of the picture) that differ by less than the tolerance, and the reverse.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from PIL import Image
from transformers import (CLIPTokenizer, Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor, OwlViTConfig,
                          OwlViTForObjectDetection, OwlViTImageProcessor)

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEXTS = ["a photo of a cat", "a cup of coffee", "an astronaut"]
LARGE = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14)
LARGE_TEXT = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12)
V1 = (OwlViTConfig, OwlViTForObjectDetection, OwlViTImageProcessor)
V2 = (Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessor)
# Name: classes, vision's and text's settings, width of the shared space; google's config.json of these names.
MODELS = {
    "owlvit-base-patch32": (V1, dict(patch_size=32, image_size=768), {}, 512),
    "owlvit-base-patch16": (V1, dict(patch_size=16, image_size=768), {}, 512),
    "owlvit-large-patch14": (V1, dict(LARGE, image_size=840), LARGE_TEXT, 768),
    "owlv2-base-patch16": (V2, dict(patch_size=16, image_size=960), {}, 512),
    "owlv2-large-patch14": (V2, dict(LARGE, image_size=1008), LARGE_TEXT, 768),
}


def randomise(model):
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn_like(value)
            if value.ndim == 0:
                continue
            if value.ndim < 2:
                value.add_(0.05 * noise)
            elif "embedding" in name and "patch" not in name:
                value.copy_(0.02 * noise)
            else:
                value.copy_(noise * value[0].numel() ** -0.5)
    return model


def vocabulary(binary, folder):
    """CLIP's vocab.json and merges.txt, as `convert` writes them beside a tiny model."""
    import open_clip
    cfg = dict(embed_dim=64, vision_cfg=dict(image_size=32, patch_size=32, layers=1, width=64),
               text_cfg=dict(width=64, heads=1, layers=1))
    tiny = folder / "tiny"
    tiny.mkdir()
    (tiny / "open_clip_config.json").write_text(json.dumps(dict(model_cfg=cfg)))
    torch.save(open_clip.CLIP(**cfg).state_dict(), tiny / "model.pth")
    subprocess.run([binary, "convert", "--quiet", "--model", tiny, "--out", folder / "clip", "--to", "transformers"],
                   check=True)
    return CLIPTokenizer.from_pretrained(folder / "clip")


def wanted(model, processor, tokenizer, path):
    image = Image.open(path).convert("RGB")
    tokens = tokenizer(TEXTS, padding="max_length", max_length=16, return_tensors="pt")
    with torch.inference_mode():
        out = model(**tokens, **processor(image, return_tensors="pt"))
    threshold = float(torch.sigmoid(out.logits.max(-1).values[0]).quantile(0.7))
    found = processor.post_process_object_detection(out, threshold, [image.size[::-1]])[0]
    scale = max(image.size)
    return threshold, [(TEXTS[l], s, [x / scale for x in b]) for s, l, b in
                       zip(found["scores"].tolist(), found["labels"].tolist(), found["boxes"].tolist())]


def given(binary, folder, path, threshold):
    out = subprocess.run([binary, "detect", path, "--model", folder, "--labels", ",".join(TEXTS), "--json",
                          "--threshold", str(threshold), "--overlap", "1", "--most", "100000"],
                         check=True, stdout=subprocess.PIPE).stdout
    scale = max(Image.open(path).size)
    return [(d["label"], d["score"], [x / scale for x in d["box"]]) for d in json.loads(out)[0]["detections"]]


def farthest(these, those, threshold, slack):
    """The largest distance of one of these to the nearest of those; near the threshold either side may drop it."""
    worst = 0
    for label, score, box in these:
        if score - threshold < slack:
            continue
        worst = max(worst, min((max(abs(score - s), *(abs(a - b) for a, b in zip(box, other)))
                                for l, s, other in those if l == label), default=1))
    return worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--openclip", default=str(ROOT / "build/openclip"))
    parser.add_argument("--models", default=",".join(MODELS), help="some of these")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("images", nargs="*", default=[str(ROOT / "tests/golden/image/coffee.jpg")])
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        tokenizer = vocabulary(args.openclip, folder)
        for name in args.models.split(","):
            (config, model_class, processor_class), vision, text, width = MODELS[name]
            torch.manual_seed(list(MODELS).index(name))
            model = randomise(model_class(config(vision_config=vision, text_config=text, projection_dim=width))).eval()
            side = vision["image_size"]
            processor = processor_class(size={"height": side, "width": side})
            for part in (model, processor, tokenizer):
                part.save_pretrained(folder / name)
            for path in args.images:
                threshold, want = wanted(model, processor, tokenizer, path)
                got = given(args.openclip, folder / name, path, threshold)
                worst = max(farthest(want, got, threshold, args.tolerance),
                            farthest(got, want, threshold, args.tolerance))
                failed |= worst > args.tolerance or not want
                print(f"{name} {path}: {len(want)} boxes, {len(got)} here, largest difference {worst:.1e}", flush=True)
            del model
            shutil.rmtree(folder / name)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
