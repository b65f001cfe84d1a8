#!/usr/bin/env python3
"""Writes tests/golden/tiny_model: a CLIP of random numbers, small enough to commit, on which the
end-to-end tests run without any trained model.

    tools/goldens/tiny_model.py [DIR]

Standard library only; the same file every time. The folder has all that a model's folder may have:
config, weights (f16), a tokenizer of its own, labels in two languages.
"""
import json
import math
import pathlib
import random
import struct
import sys

EMBED, SIZE, PATCH, WIDTH, LAYERS = 16, 32, 16, 32, 2
CONTEXT, TEXT_WIDTH, TEXT_LAYERS = 16, 32, 2
HEAD = 16
MERGES = ["a t</w>", "c at</w>", "d o", "do g</w>", "r e", "re d</w>"]


def byte_characters():
    """CLIP's printable stand-ins for the 256 bytes, in the order of its vocabulary."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + i) for i in range(len(moved))]


def tokenizer():
    """A tokenizer.json in the form of the shipped model's."""
    letters = byte_characters()
    tokens = ["<pad>"] + letters + [c + "</w>" for c in letters]
    tokens += [m.replace(" ", "") for m in MERGES] + ["<start_of_text>", "<end_of_text>"]
    ids = {token: i for i, token in enumerate(tokens)}
    special = [{"id": ids[token], "content": token, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": True}
               for token in ("<pad>", "<start_of_text>", "<end_of_text>")]
    template = {token: {"id": token, "ids": [ids[token]], "tokens": [token]}
                for token in ("<start_of_text>", "<end_of_text>")}
    return len(tokens), {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|"
                                                   "[^\\s\\p{L}\\p{N}]+"},
             "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
             "use_regex": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": [
            {"SpecialToken": {"id": "<start_of_text>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "<end_of_text>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": template},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
             "use_regex": True},
            {"type": "Replace", "pattern": {"String": "</w>"}, "content": " "}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<end_of_text>",
                  "continuing_subword_prefix": "", "end_of_word_suffix": "</w>",
                  "fuse_unk": False, "byte_fallback": False, "vocab": ids, "merges": MERGES}}


def block(name, width):
    return {f"{name}.ln_1.weight": [width], f"{name}.ln_1.bias": [width],
            f"{name}.attn.in_proj_weight": [3 * width, width],
            f"{name}.attn.in_proj_bias": [3 * width],
            f"{name}.attn.out_proj.weight": [width, width], f"{name}.attn.out_proj.bias": [width],
            f"{name}.ln_2.weight": [width], f"{name}.ln_2.bias": [width],
            f"{name}.mlp.c_fc.weight": [4 * width, width], f"{name}.mlp.c_fc.bias": [4 * width],
            f"{name}.mlp.c_proj.weight": [width, 4 * width], f"{name}.mlp.c_proj.bias": [width]}


def shapes(vocabulary):
    tensors = {"logit_scale": [], "positional_embedding": [CONTEXT, TEXT_WIDTH],
               "text_projection": [TEXT_WIDTH, EMBED],
               "token_embedding.weight": [vocabulary, TEXT_WIDTH],
               "ln_final.weight": [TEXT_WIDTH], "ln_final.bias": [TEXT_WIDTH],
               "visual.class_embedding": [WIDTH],
               "visual.positional_embedding": [(SIZE // PATCH) ** 2 + 1, WIDTH],
               "visual.proj": [WIDTH, EMBED], "visual.conv1.weight": [WIDTH, 3, PATCH, PATCH]}
    for norm in ("visual.ln_pre", "visual.ln_post"):
        tensors |= {f"{norm}.weight": [WIDTH], f"{norm}.bias": [WIDTH]}
    for i in range(TEXT_LAYERS):
        tensors |= block(f"transformer.resblocks.{i}", TEXT_WIDTH)
    for i in range(LAYERS):
        tensors |= block(f"visual.transformer.resblocks.{i}", WIDTH)
    return tensors


def values(name, shape, rng):
    count = math.prod(shape)
    if name == "logit_scale":
        return [math.log(20)]
    if "ln_" in name and name.endswith("weight"):
        return [1 + rng.gauss(0, 0.05) for _ in range(count)]
    fan_in = math.prod(shape[1:]) if len(shape) > 1 else shape[0]
    return [rng.gauss(0, fan_in ** -0.5) for _ in range(count)]


def safetensors(tensors):
    rng = random.Random(0)
    header, data = {}, b""
    for name, shape in sorted(tensors.items()):
        numbers = values(name, shape, rng)
        header[name] = {"dtype": "F16", "shape": shape,
                        "data_offsets": [len(data), len(data) + 2 * len(numbers)]}
        data += struct.pack(f"<{len(numbers)}e", *numbers)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/golden/tiny_model"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, tokenizer_json = tokenizer()
    config = {
        "model_cfg": {
            "embed_dim": EMBED,
            "vision_cfg": {"image_size": SIZE, "layers": LAYERS, "width": WIDTH,
                           "head_width": HEAD, "patch_size": PATCH},
            "text_cfg": {"context_length": CONTEXT, "vocab_size": vocabulary, "width": TEXT_WIDTH,
                         "heads": TEXT_WIDTH // HEAD, "layers": TEXT_LAYERS,
                         "hf_tokenizer_name": "tiny"}},
        "preprocess_cfg": {"size": SIZE, "mode": "RGB", "mean": [0.5, 0.5, 0.5],
                           "std": [0.5, 0.5, 0.5], "interpolation": "bicubic",
                           "resize_mode": "shortest"}}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "tokenizer.json").write_text(
        json.dumps(tokenizer_json, ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "open_clip_model.safetensors").write_bytes(safetensors(shapes(vocabulary)))
    (folder / "labels.en.txt").write_text("cat\ndog\nred heart\n")
    (folder / "labels.zh.txt").write_text("猫\n狗\n红心\n")
    for file in sorted(folder.iterdir()):
        print(file, file.stat().st_size)


if __name__ == "__main__":
    main()
