#!/usr/bin/env python3
"""Writes tests/golden/diffusers: text encoders and tokenizers of tiny Stable Diffusion model directories,
of random numbers, and what diffusers' own pipelines condition on.

    tools/goldens/diffusers_models.py [DIR]
    needs: pip install diffusers==0.35.2 transformers==4.57.1 torch safetensors

sd1/, sd2/, sdxl/   text_encoder, tokenizer (and _2), model_index.json, as diffusers saves them; half precision
NAME.safetensors    what encode_prompt returns, [prompts, tokens, width], for PROMPTS and NEGATIVE;
                    `clip_skip` and `empty` (no negative prompt) are cases of their own
whole.safetensors   the same by hand for the CLIPModel of tests/golden/transformers/clip, a whole model,
                    whose hidden states sd2 and sdxl take from before the last block; and its hidden
                    states of PROMPTS and of two pictures, for embed's --tokens and --hidden-layer
The versions are in the metadata of the files.
"""
import json
import pathlib
import shutil
import sys

import diffusers
import torch
import transformers
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from PIL import Image
from safetensors.torch import save_file
from transformers import (CLIPImageProcessor, CLIPModel, CLIPTextConfig, CLIPTextModel,
                          CLIPTextModelWithProjection, CLIPTokenizer)

ROOT = pathlib.Path(__file__).resolve().parents[2]
VOCABULARY = ROOT / "tests/golden/transformers/clip"
PROMPTS = ["a red cat", "photo dog red cat, it's 12 photos of a cat and a dog", "red!cat !", ""]
NEGATIVE = "a dog"
LENGTH = 16
VERSIONS = {"diffusers": diffusers.__version__, "transformers": transformers.__version__,
            "torch": torch.__version__}


def tokenizer(folder, pad, newer):
    """As published: SD 2's legacy files name one token in tokenizer_config.json and pad with another, in
    special_tokens_map.json; newer files list added_tokens_decoder, and the map is not asked."""
    folder.mkdir(parents=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(VOCABULARY / name, folder)
    size = len(json.loads((folder / "vocab.json").read_text()))
    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
             "unk_token": "<|endoftext|>"}
    config = dict(names, tokenizer_class="CLIPTokenizer", model_max_length=LENGTH,
                  do_lower_case=True, pad_token=pad if newer else "<|endoftext|>")
    if newer:
        config["added_tokens_decoder"] = {
            str(id): dict(content=token, lstrip=False, normalized=False, rstrip=False,
                          single_word=False, special=True)
            for id, token in ([(0, "!")] if pad == "!" else []) +
            [(size - 2, "<|startoftext|>"), (size - 1, "<|endoftext|>")]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "special_tokens_map.json").write_text(
        json.dumps(dict(names, pad_token="<|endoftext|>" if newer and pad == "!" else pad),
                   indent=1) + "\n")
    return CLIPTokenizer.from_pretrained(folder), size


def encoder(kind, size, seed, **options):
    torch.manual_seed(seed)
    config = dict(vocab_size=size, hidden_size=16, intermediate_size=40, num_hidden_layers=3,
                  num_attention_heads=2, max_position_embeddings=LENGTH, hidden_act="quick_gelu",
                  projection_dim=12, eos_token_id=2)
    model = kind(CLIPTextConfig(**dict(config, **options))).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn_like(value)
            value.copy_((value + 0.2 * noise if value.ndim < 2 else
                         noise * 0.5 if "embedding" in name else
                         noise * value[0].numel() ** -0.5).half())
    return model


def save(folder, pipeline, parts):
    index = {"_class_name": pipeline, "_diffusers_version": diffusers.__version__}
    for name, part in parts.items():
        if name.startswith("text_encoder"):
            part.half().save_pretrained(folder / name)
            part.float()
        index[name] = ["transformers", type(part).__name__]
    if pipeline == "StableDiffusionXLPipeline":
        index["force_zeros_for_empty_prompt"] = True
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


def sd(parts):
    pipe = StableDiffusionPipeline(vae=None, unet=None, scheduler=None, safety_checker=None,
                                   feature_extractor=None, requires_safety_checker=False, **parts)

    def encode(prompt, negative, **options):
        with torch.inference_mode():
            states, negatives = pipe.encode_prompt(prompt, "cpu", 1, True, negative, **options)
        return {"prompt_embeds": states, "negative_prompt_embeds": negatives}
    return encode


def sdxl(parts):
    pipe = StableDiffusionXLPipeline(vae=None, unet=None, scheduler=None, add_watermarker=False,
                                     **parts)

    def encode(prompt, negative, **options):
        with torch.inference_mode():
            states, negatives, pooled, negative_pooled = pipe.encode_prompt(
                prompt, device="cpu", negative_prompt=negative, do_classifier_free_guidance=True,
                **options)
        return {"prompt_embeds": states, "negative_prompt_embeds": negatives,
                "pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": negative_pooled}
    return encode


def write_case(path, encode):
    cases = {"": encode(PROMPTS, [NEGATIVE] * len(PROMPTS)),
             "empty.": encode(PROMPTS[:1], None),
             "clip_skip.": encode(PROMPTS[:1], [NEGATIVE], clip_skip=1)}
    save_file({case + name: value.contiguous() for case, tensors in cases.items()
               for name, value in tensors.items()}, path, metadata=VERSIONS)


@torch.inference_mode()
def write_whole(path):
    """Of a CLIPModel with both towers, as a pipeline would use its text half."""
    model = CLIPModel.from_pretrained(VOCABULARY).float().eval()
    tokens = CLIPTokenizer.from_pretrained(VOCABULARY)
    tensors = {}
    for case, pad in (("sd1", "<|endoftext|>"), ("sd2", "!")):
        tokens.pad_token = pad
        ids = tokens(PROMPTS, padding="max_length", max_length=LENGTH, truncation=True,
                     return_tensors="pt").input_ids
        out = model.text_model(ids, output_hidden_states=True)
        states = out.hidden_states
        tensors[case] = model.text_model.final_layer_norm(states[-1 if case == "sd1" else -2])
        tensors[f"layer.{case}"] = states[-2]
        tensors[f"pooled.{case}"] = model.text_projection(out.pooler_output)
        if case == "sd1":
            tensors.update({"embed.0": states[0], "embed.1": states[1], "embed.2": states[2],
                            "embed.last": tensors[case],
                            "embed.1.norm": model.text_model.final_layer_norm(states[1])})
    tensors["sdxl"] = torch.cat([tensors.pop("layer.sd1"), tensors.pop("layer.sd2")], -1)
    del tensors["pooled.sd1"]
    processor = CLIPImageProcessor.from_pretrained(VOCABULARY)
    pixels = processor([Image.open(ROOT / "samples" / name).convert("RGB")
                        for name in ("cat.png", "heart.png")], return_tensors="pt")["pixel_values"]
    states = model.vision_model(pixels, output_hidden_states=True).hidden_states
    tensors["image.1"] = states[1]
    tensors["image.last"] = model.vision_model.post_layernorm(states[-1])
    save_file({name: value.clone() for name, value in tensors.items()}, path,
              metadata=VERSIONS)


def write(folder):
    shutil.rmtree(folder, ignore_errors=True)
    tokens, size = tokenizer(folder / "sd1/tokenizer", "<|endoftext|>", newer=False)
    parts = {"text_encoder": encoder(CLIPTextModel, size, 1), "tokenizer": tokens}
    save(folder / "sd1", "StableDiffusionPipeline", parts)
    write_case(folder / "sd1.safetensors", sd(parts))

    tokens, size = tokenizer(folder / "sd2/tokenizer", "!", newer=False)
    parts = {"text_encoder": encoder(CLIPTextModel, size, 2, hidden_act="gelu",
                                     num_hidden_layers=2), "tokenizer": tokens}
    save(folder / "sd2", "StableDiffusionPipeline", parts)
    write_case(folder / "sd2.safetensors", sd(parts))

    tokens, size = tokenizer(folder / "sdxl/tokenizer", "<|endoftext|>", newer=True)
    tokens_2, _ = tokenizer(folder / "sdxl/tokenizer_2", "!", newer=True)
    parts = {"text_encoder": encoder(CLIPTextModel, size, 3), "tokenizer": tokens,
             "text_encoder_2": encoder(CLIPTextModelWithProjection, size, 4, hidden_size=24,
                                       hidden_act="gelu", eos_token_id=size - 1),
             "tokenizer_2": tokens_2}
    save(folder / "sdxl", "StableDiffusionXLPipeline", parts)
    write_case(folder / "sdxl.safetensors", sdxl(parts))
    write_whole(folder / "whole.safetensors")
    for file in sorted(folder.rglob("*.*")):
        print(file.relative_to(folder), file.stat().st_size)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/golden/diffusers"))
