#!/usr/bin/env python3
"""Writes tests/golden/transformers: tiny CLIPModels of random numbers as transformers saves them, the same
weights as an open_clip training checkpoint, and the features that Python computes from them.

    tools/goldens/transformers_models.py [DIR]
    needs: pip install transformers==5.23.0 open_clip_torch==3.3.0 torch==2.9.1 pillow

clip/       save_pretrained: model.safetensors (f16), vocab.json and merges.txt
legacy/     files as of 2021: pytorch_model.bin with position_ids, text_config_dict, eos_token_id 2
open_clip/  the weights of clip/ under open_clip's names: epoch_1.pt with `module.` and an optimizer, and
            traced.pt, a TorchScript archive with OpenAI's additional tensors
expected.json   texts, pictures, ids and features; its "versions" name the packages
"""
import json
import os
import pathlib
import shutil
import sys

import open_clip
import torch
import transformers
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

ROOT = pathlib.Path(__file__).resolve().parents[2]
MERGES = ["a t</w>", "c at</w>", "d o", "do g</w>", "r e", "re d</w>", "p h", "o to</w>"]
TEXTS = ["a red cat", "Dog!", "it's 12 photos of a cat", "x " * 30, "Zürich <|endoftext|> cat",
         "a <|StartOfText|>"]
IMAGES = ["samples/cat.png", "samples/heart.png", "tests/golden/image/coffee.jpg"]
SIZE = 16


def byte_characters():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + i) for i in range(len(moved))]


def tokenizer(folder):
    letters = byte_characters()
    merges = [m for m in MERGES if m != "o to</w>"] + ["t o</w>", "o to</w>"]
    tokens = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77,
         "pad_token": "<|endoftext|>"}) + "\n")
    return len(tokens)


def config(vocabulary, act, eos):
    return CLIPConfig(
        projection_dim=12,
        text_config=dict(vocab_size=vocabulary, hidden_size=16, intermediate_size=40,
                         num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=16,
                         hidden_act=act, eos_token_id=eos, bos_token_id=vocabulary - 2),
        vision_config=dict(hidden_size=24, intermediate_size=50, num_hidden_layers=2,
                           num_attention_heads=3, image_size=SIZE, patch_size=8, hidden_act=act,
                           layer_norm_eps=1e-6))


def build(cfg, seed):
    torch.manual_seed(seed)
    model = CLIPModel(cfg).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name == "logit_scale":
                continue
            noise = torch.randn_like(value)
            value.copy_((value + 0.2 * noise if value.ndim < 2 else
                         noise * 0.5 if "embedding" in name else
                         noise * value[0].numel() ** -0.5).half())
    return model


def features(model, folder, processor):
    ids = CLIPTokenizer.from_pretrained(folder)(
        TEXTS, padding="max_length", truncation=True, max_length=16, return_tensors="pt").input_ids
    pictures = [Image.open(ROOT / path) for path in IMAGES]
    pixels = processor(pictures, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        image = model.get_image_features(pixel_values=pixels)
        text = model.get_text_features(input_ids=ids)
    image, text = (x if torch.is_tensor(x) else x.pooler_output for x in (image, text))
    return {"ids": ids.tolist(), "image_features": image.tolist(), "text_features": text.tolist()}


def open_clip_names(state):
    """transformers' state_dict under open_clip's names."""
    out = {}
    for name, value in state.items():
        head, _, rest = name.partition(".encoder.layers.")
        tower = "visual." if head == "vision_model" else ""
        if not rest:
            out.update({
                "logit_scale": {"logit_scale": value},
                "text_projection.weight": {"text_projection": value.mT if value.ndim == 2 else None},
                "visual_projection.weight": {"visual.proj": value.mT if value.ndim == 2 else None}}.get(name, {
                    name.replace("text_model.embeddings.token_embedding", "token_embedding")
                    .replace("text_model.embeddings.position_embedding.weight", "positional_embedding")
                    .replace("text_model.final_layer_norm", "ln_final")
                    .replace("vision_model.embeddings.patch_embedding", "visual.conv1")
                    .replace("vision_model.embeddings.position_embedding.weight",
                             "visual.positional_embedding")
                    .replace("vision_model.embeddings.", "visual.")
                    .replace("vision_model.pre_layrnorm", "visual.ln_pre")
                    .replace("vision_model.post_layernorm", "visual.ln_post"): value}))
            continue
        index, _, part = rest.partition(".")
        block = f"{tower}transformer.resblocks.{index}."
        if ".q_proj." in part:
            kind = part.rsplit(".", 1)[1]
            out[f"{block}attn.in_proj_{kind}"] = torch.cat(
                [state[name.replace("q_proj", f"{x}_proj")] for x in "qkv"])
        elif "k_proj" not in part and "v_proj" not in part:
            out[block + part.replace("self_attn", "attn").replace("layer_norm", "ln_")
                .replace("fc1", "c_fc").replace("fc2", "c_proj")] = value
    return {name: value.contiguous() for name, value in out.items()}


def open_clip_model(hf, vocabulary, folder):
    cfg = {"embed_dim": 12, "quick_gelu": True,
           "vision_cfg": {"image_size": SIZE, "layers": 2, "width": 24, "head_width": 8,
                          "patch_size": 8, "mlp_ratio": 50 / 24, "norm_kwargs": {"eps": 1e-6}},
           "text_cfg": {"context_length": 16, "vocab_size": vocabulary, "width": 16, "heads": 2,
                        "layers": 2, "mlp_ratio": 2.5, "hf_tokenizer_name": "tiny"}}
    model = open_clip.CLIP(**json.loads(json.dumps(cfg))).eval()
    state = open_clip_names(hf.state_dict())
    model.load_state_dict(state)
    preprocess = {"size": SIZE, "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
                  "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": cfg, "preprocess_cfg": preprocess}, indent=1) + "\n")
    halves = {f"module.{name}": value.half() if value.ndim else value
              for name, value in state.items()}
    moments = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4)}},
               "param_groups": [{"lr": 1e-3, "params": [0]}]}
    torch.save({"epoch": 1, "name": "tiny", "state_dict": halves, "optimizer": moments},
               folder / "epoch_1.pt")
    return model


def save_traced(model, path):
    """As OpenAI published CLIP: traced, in half precision, with sizes as tensors."""
    for name, value in (("input_resolution", SIZE), ("context_length", 16),
                        ("vocab_size", model.vocab_size)):
        model.__dict__.pop(name, None)
        model.register_buffer(name, torch.tensor(value))
    pixels, ids = torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 16, dtype=torch.long)
    traced = torch.jit.trace_module(model, {"encode_image": pixels, "encode_text": ids})
    for value in (*traced.parameters(), *traced.buffers()):
        if value.is_floating_point() and value.ndim:
            value.data = value.data.half()
    traced.save(path)


def write(folder):
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("clip", "legacy", "open_clip"):
        os.makedirs(folder / name)
    expected = {"versions": {"transformers": transformers.__version__,
                             "open_clip": open_clip.__version__,
                             "torch": torch.__version__.split("+")[0]},
                "texts": TEXTS, "images": IMAGES}
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE},
        image_mean=[0.5, 0.5, 0.5], image_std=[0.25, 0.25, 0.25])

    clip = folder / "clip"
    vocabulary = tokenizer(clip)
    model = build(config(vocabulary, "quick_gelu", vocabulary - 1), 1)
    model.half().save_pretrained(clip)
    processor.save_pretrained(clip)
    expected["clip"] = features(model.float(), clip, processor)

    CLIPTokenizer.from_pretrained(clip).save_pretrained(folder / "open_clip")
    twin = open_clip_model(model, vocabulary, folder / "open_clip")
    with torch.inference_mode():
        text = twin.encode_text(torch.tensor(expected["clip"]["ids"]))
    difference = (text - torch.tensor(expected["clip"]["text_features"])).abs().max()
    print("open_clip against transformers:", difference.item())
    assert difference < 1e-5

    save_traced(twin, folder / "open_clip/traced.pt")

    legacy = folder / "legacy"
    model = build(config(vocabulary, "gelu", 2), 2)
    CLIPTokenizer.from_pretrained(clip).save_pretrained(legacy)
    cfg = model.config.to_dict()
    for part in ("text", "vision"):
        cfg[f"{part}_config_dict"] = {k: v for k, v in cfg[f"{part}_config"].items()
                                      if v is not None and k != "model_type"}
        cfg[f"{part}_config"] = {"hidden_size": 999}
    (legacy / "config.json").write_text(json.dumps(cfg, indent=1) + "\n")
    old = {"do_resize": True, "size": SIZE, "resample": 3, "do_center_crop": True,
           "crop_size": SIZE, "do_normalize": True, "image_mean": [0.5, 0.5, 0.5],
           "image_std": [0.25, 0.25, 0.25], "feature_extractor_type": "CLIPFeatureExtractor"}
    (legacy / "preprocessor_config.json").write_text(json.dumps(old, indent=1) + "\n")
    state = dict(model.half().state_dict())
    state["text_model.embeddings.position_ids"] = torch.arange(16).expand(1, -1)
    state["vision_model.embeddings.position_ids"] = torch.arange(5).expand(1, -1)
    torch.save(state, legacy / "pytorch_model.bin")
    expected["legacy"] = features(model.float(), legacy, processor)

    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
    for file in sorted(folder.rglob("*.*")):
        print(file.relative_to(folder), file.stat().st_size)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/golden/transformers"))
