#!/usr/bin/env python3
"""Compares CLIPModel folders with transformers and open_clip, there and back through `convert`.

    tools/parity_transformers.py --images FILE... [--layers N --width N]
    needs: pip install transformers==5.23.0 open_clip_torch==3.3.0 pillow; build/openclip

A randomly initialised CLIPModel (nothing is downloaded) with CLIP's vocabulary is saved by
transformers. Its features must be those of: this program on that folder; transformers and this program on
the folder that `convert --to transformers` writes from what `convert` wrote; Python's open_clip on the
latter. Fails if any feature differs by more than --tolerance, or if weights changed on the way.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import open_clip
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from parity import TEXTS, engine_features


def save(folder, binary, args):
    """The CLIPModel, with the tokenizer that `convert` writes for a model of CLIP's vocabulary."""
    torch.manual_seed(0)
    tower = dict(num_hidden_layers=args.layers, num_attention_heads=args.width // 64,
                 hidden_size=args.width, intermediate_size=4 * args.width)
    model = CLIPModel(CLIPConfig(projection_dim=512, text_config=tower,
                                 vision_config=dict(tower, patch_size=32))).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1:
                value.add_(0.02 * torch.randn_like(value))
    vocabulary = folder.parent / "vocabulary"
    cfg = dict(embed_dim=64, vision_cfg=dict(image_size=32, patch_size=32, layers=1, width=64),
               text_cfg=dict(width=64, heads=1, layers=1))
    (folder.parent / "tiny").mkdir()
    (folder.parent / "tiny/open_clip_config.json").write_text(json.dumps(dict(model_cfg=cfg)))
    torch.save(open_clip.CLIP(**cfg).state_dict(), folder.parent / "tiny/model.pth")
    convert(binary, folder.parent / "tiny", vocabulary, "transformers")
    model.save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    CLIPTokenizer.from_pretrained(vocabulary).save_pretrained(folder)
    return model


def convert(binary, model, out, to):
    subprocess.run([str(x) for x in (binary, "convert", "--quiet", "--model", model, "--out", out,
                                     "--to", to)], check=True)


def transformers_features(folder, images):
    model = CLIPModel.from_pretrained(folder).eval()
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    pixels = processor([Image.open(path) for path in images], return_tensors="pt")["pixel_values"]
    ids = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=77,
                    return_tensors="pt").input_ids
    with torch.inference_mode():
        rows = [model.get_image_features(pixel_values=pixels), model.get_text_features(input_ids=ids)]
    return torch.cat([x if torch.is_tensor(x) else x.pooler_output for x in rows]).numpy()


def open_clip_features(folder, images):
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    with torch.inference_mode():
        rows = [model.encode_image(preprocess(Image.open(path))[None]) for path in images]
        rows.append(model.encode_text(tokenizer(TEXTS)))
    return torch.cat(rows).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--binary", default=pathlib.Path(__file__).parents[1] / "build/openclip")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--tolerance", type=float, default=3e-5)
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        first, own, back = place / "clip", place / "own", place / "back"
        model = save(first, args.binary, args)
        convert(args.binary, first, own, "openclip")
        convert(args.binary, own, back, "transformers")
        want = transformers_features(first, args.images)
        state = CLIPModel.from_pretrained(back).state_dict()
        same = all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
        print(f"weights there and back: {'equal' if same else 'CHANGED'}")
        failed |= not same
        for name, got in (("openclip on transformers' folder", engine_features(args.binary, first, args.images)),
                          ("openclip on its own folder", engine_features(args.binary, own, args.images)),
                          ("openclip, converted back", engine_features(args.binary, back, args.images)),
                          ("transformers, converted back", transformers_features(back, args.images)),
                          ("Python open_clip on the own folder", open_clip_features(own, args.images))):
            difference = numpy.abs(got - want)
            images = len(args.images)
            ok = difference.max() <= args.tolerance
            failed |= not ok
            print(f"{name}: max abs difference images {difference[:images].max():.1e} texts "
                  f"{difference[images:].max():.1e}, largest feature {numpy.abs(want).max():.2f} "
                  f"{'ok' if ok else 'FAILED'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
