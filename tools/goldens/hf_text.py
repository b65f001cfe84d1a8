#!/usr/bin/env python3
"""Writes the cases of tests/golden/towers whose text tower is one of transformers; files as towers.py.

    tools/goldens/hf_text.py [DIR]    needs: pip install open_clip_torch==3.3.0 transformers safetensors

Nothing is downloaded: Python reads the sizes from a folder's config.json, the engine from the same values
in text_cfg.hf_model_config.
"""
import json
import pathlib
import tempfile

import torch

from towers import VIT, build, golden_folder, write_case

SIZES = dict(vocab_size=60, hidden_size=20, num_hidden_layers=2, num_attention_heads=2,
             intermediate_size=44, max_position_embeddings=14, type_vocab_size=2, pad_token_id=1,
             layer_norm_eps=1e-3)
TEXT = dict(hf_model_pretrained=False, context_length=9, vocab_size=60, pad_id=1)
VISION = dict(VIT, layers=1)
CASES = {
    "roberta_mean_mlp": (dict(
        quick_gelu=True, vision_cfg=VISION,
        text_cfg=dict(TEXT, hf_model_name="roberta-base", hf_pooler_type="mean_pooler",
                      hf_model_config=dict(SIZES, model_type="roberta"))), torch.float32),
    "xlm_roberta_cls_linear_bf16": (dict(
        vision_cfg=VISION,
        text_cfg=dict(TEXT, hf_model_name="xlm-roberta-base", hf_pooler_type="cls_pooler",
                      hf_proj_type="linear",
                      hf_model_config=dict(SIZES, model_type="xlm-roberta", hidden_act="gelu_new",
                                           type_vocab_size=1))), torch.bfloat16),
    "xlm_roberta_no_projection": (dict(
        vision_cfg=VISION,
        text_cfg=dict(TEXT, hf_model_name="FacebookAI/xlm-roberta-large", hf_proj_type=None,
                      hf_pooler_type="cls_last_hidden_state_pooler",
                      hf_model_config=dict(SIZES, model_type="xlm-roberta", hidden_size=16))),
        torch.float32),
}
PAD_INSIDE = [58, 7, 1, 8, 59]  # masked wherever it stands, and it takes no position


def main():
    folder = golden_folder()
    for seed, (name, (cfg, dtype)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        cfg = dict(embed_dim=16, **cfg)
        with tempfile.TemporaryDirectory() as sizes:
            text = dict(cfg["text_cfg"], hf_model_name=sizes)
            (pathlib.Path(sizes) / "config.json").write_text(json.dumps(text.pop("hf_model_config")))
            model = build(dict(cfg, text_cfg=text, custom_text=True), dtype)
        write_case(folder, name, cfg, dtype, model, [PAD_INSIDE])


if __name__ == "__main__":
    main()
