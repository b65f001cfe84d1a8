#!/usr/bin/env python3
"""Writes tests/golden/coca: tiny CoCas of random numbers, with the features and the captions that Python
open_clip computes from them.

    tools/goldens/coca.py [DIR]
    needs: pip install open_clip_torch==3.3.0 transformers==4.56.2 safetensors (4.57 has no BeamSearchScorer)

NAME.json (open_clip's model_cfg), NAME.safetensors (weights) and NAME.io.safetensors: pixels, ids padded
with 0, both features (not normalised), and for each of CASES `generate.CASE`, what generate() returns for
each picture by itself, padded with -1. The texts hold the word 0, "!", which open_clip takes for padding.
The versions are in the metadata of the latter.
"""
import json
import pathlib
import shutil
import sys

import open_clip
import torch
import transformers
from open_clip.coca_model import CoCa
from safetensors.torch import save_file

START, END, LENGTH, VOCABULARY = 38, 39, 16, 40
VISION = dict(image_size=28, layers=2, width=24, head_width=12, patch_size=8, output_tokens=True)
TEXT = dict(context_length=LENGTH, vocab_size=VOCABULARY, width=20, heads=2, layers=2, embed_cls=True,
            output_tokens=True)
DECODER = dict(context_length=LENGTH, vocab_size=VOCABULARY, width=20, heads=2, layers=2)
MODELS = {
    # As coca_ViT-B-32: keys of another width than queries.
    "pooled": dict(embed_dim=20, vision_cfg=dict(VISION, attentional_pool=True, attn_pooler_heads=4,
                                                 attn_pooler_queries=10),
                   text_cfg=TEXT, multimodal_cfg=DECODER, custom_text=True),
    # One matrix for q, k and v; the mean of the pooled tokens; LayerScale and QuickGELU.
    "pooled_square": dict(embed_dim=24, quick_gelu=True,
                          vision_cfg=dict(VISION, attentional_pool=True, attn_pooler_heads=4,
                                          attn_pooler_queries=6, pool_type="avg"),
                          text_cfg=dict(TEXT, width=24, ls_init_value=0.5),
                          multimodal_cfg=dict(DECODER, width=24, ls_init_value=0.5),
                          custom_text=True),
    # As coca_base: the decoder sees the patches themselves.
    "patches": dict(embed_dim=16, vision_cfg=VISION, text_cfg=dict(TEXT, width=24),
                    multimodal_cfg=dict(DECODER, width=24), custom_text=True),
}
CASES = {
    "beam": dict(),
    "beam_one_group": dict(num_beams=4, num_beam_groups=1, min_seq_len=0),
    "beam_penalty": dict(num_beams=6, num_beam_groups=2, repetition_penalty=1.5, min_seq_len=8),
    "beam_short": dict(seq_len=7, min_seq_len=2),
    "greedy": dict(generation_type="top_k", top_k=1),
    "greedy_penalty": dict(generation_type="top_k", top_k=1, repetition_penalty=1.3, min_seq_len=2),
    "greedy_top_p": dict(generation_type="top_p", top_p=0.0),
}
TEXTS = [[START, 5, 9, END], [START, END], [START, 3, 0, 7, 0, 0, 11, END],
         [START, *range(1, LENGTH - 1), END][:LENGTH - 1] + [END], [START, 4, 0, END]]


def build(cfg, seed):
    torch.manual_seed(seed)
    options = json.loads(json.dumps(cfg))
    options.pop("custom_text")
    model = CoCa(**options).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name == "logit_scale":
                continue
            noise = torch.randn_like(value)
            value.copy_(value + 0.3 * noise if value.ndim < 2 else
                        noise if "embedding" in name or "query" in name else
                        1.5 * noise * value[0].numel() ** -0.5)
        # Words differ from place to place, and about one in six ends the text.
        model.text_decoder.text_projection.mul_(2)
        model.text_decoder.text_projection[:, END].mul_(1.5)
    return model


def captions(model, pixels, options):
    rows = []
    for picture in pixels:
        with torch.inference_mode():
            rows.append(model.generate(picture[None], sot_token_id=START, eos_token_id=END,
                                       **dict(dict(seq_len=LENGTH), **options))[0])
    longest = max(len(row) for row in rows)
    return torch.stack([torch.nn.functional.pad(row, (0, longest - len(row)), value=-1)
                        for row in rows]).int()


def write(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = torch.tensor([text + [0] * (LENGTH - len(text)) for text in TEXTS])
    for seed, (name, cfg) in enumerate(MODELS.items()):
        model = build(cfg, seed)
        torch.manual_seed(100 + seed)
        pixels = torch.randn(6, 3, 28, 28)
        with torch.inference_mode():
            io = {"pixels": pixels, "ids": ids.int(),
                  "lengths": torch.tensor([len(text) for text in TEXTS]).int(),
                  "image_features": model.encode_image(pixels, normalize=False),
                  "text_features": model.encode_text(ids, normalize=False)}
        for case, options in CASES.items():
            io[f"generate.{case}"] = captions(model, pixels, options)
            print(name, case, *[[x for x in row if x >= 0] for row in io[f"generate.{case}"].tolist()],
                  sep="\n  ")
        (folder / f"{name}.json").write_text(json.dumps(cfg) + "\n")
        save_file({key: value.contiguous() for key, value in model.state_dict().items()},
                  folder / f"{name}.safetensors")
        save_file({key: value.contiguous() for key, value in io.items()},
                  folder / f"{name}.io.safetensors",
                  metadata={"open_clip": open_clip.__version__, "torch": torch.__version__,
                            "transformers": transformers.__version__})


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                       pathlib.Path(__file__).resolve().parents[2] / "tests/golden/coca"))
