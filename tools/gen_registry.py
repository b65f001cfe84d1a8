#!/usr/bin/env python3
"""Writes the tables of model names that are built into the programs.

    pip install open_clip_torch==3.3.0
    tools/gen_registry.py

src/models/config/registry.json: every model of open_clip that belongs to one of FAMILIES, the kinds of
models that this engine has, with its pretrained tags.
src/tasks/templates.json: named sets of zero-shot prompts. Both are facts of open_clip, as data.
tests/golden/open_clip_models.json: all models of open_clip and their tags, of which a test sees to it
that only those of LEFT_OUT are not known here.
tools/gen_trunks.py writes what the names of timm's image towers stand for.
"""
import json
import pathlib
from importlib.metadata import version

import open_clip
from open_clip.pretrained import get_pretrained_cfg

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL_KEYS = {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "custom_text", "init_logit_bias",
              "multimodal_cfg"}
FOREIGN_VISION = ("timm_model_name", "attentional_pool", "block_type")
SIGLIP = tuple(f"vit_{size}_patch{patch}_siglip_" for patch in (14, 16, 32)
               for size in ("base", "large", "so400m", "giantopt"))
FOREIGN_TEXT = ("hf_model_name", "text_arch", "embed_cls")
PREPROCESS_DEFAULT = {  # of model_config.h; only what differs is written
    "mean": list(open_clip.OPENAI_DATASET_MEAN),
    "std": list(open_clip.OPENAI_DATASET_STD),
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def native_vision(config):
    """Vision transformer or ModifiedResNet of open_clip's own."""
    return not any(config["vision_cfg"].get(k) for k in FOREIGN_VISION)


def native_text(config):
    """open_clip's own text transformer, whatever the tokenizer."""
    return not any(config["text_cfg"].get(k) for k in FOREIGN_TEXT)


def timm_vision(config, *starts):
    """A tower of timm whose name starts so."""
    return (config["vision_cfg"].get("timm_model_name") or "").startswith(starts)


def transformers_text(config, *starts):
    """A tower of transformers whose name starts so."""
    return (config["text_cfg"].get("hf_model_name") or "").startswith(starts)


# What a config must fulfil to belong to a family; a model is listed if one of them takes it.
FAMILIES = {
    "OpenAI, OpenCLIP, CLIPA, MetaCLIP: ViT or ModifiedResNet":
        lambda c: native_vision(c) and native_text(c),
    "ConvNeXt of timm":
        lambda c: timm_vision(c, "convnext_") and native_text(c),
    "RoBERTa and XLM-RoBERTa of transformers":
        lambda c: native_vision(c) and transformers_text(c, "roberta", "xlm-roberta"),
    "CoCa: captions": lambda c: "multimodal_cfg" in c,
    "SigLIP, SigLIP 2: ViT of timm with attention pooling":
        lambda c: timm_vision(c, *SIGLIP) and native_text(c),
    "EVA-01, EVA-02 and Perception Encoder: Eva of timm":
        lambda c: timm_vision(c, "eva_giant_", "eva02_", "vit_pe_core_") and native_text(c),
    "MobileCLIP: FastViT, ViT with a stem of convolutions, CLIP's ViT-L-14 under timm's names":
        lambda c: timm_vision(c, "fastvit_mci", "vit_base_mci_", "vit_large_patch14_clip_") and native_text(c),
}

# What no family takes, and why; tools/models_table.py prints it.
LEFT_OUT = {
    "ViTamin: convolutions before a ViT, in timm": ("ViTamin-",),
    "towers of timm for which nothing is published":
        ("swin_base_", "vit_medium_patch16_gap_", "vit_relpos_medium_"),
    "mT5 as text tower: nothing is published": ("mt5-",),
    "NLLB (M2M-100) as text tower": ("nllb-clip-",),
}


def families_of(config):
    if set(config) - MODEL_KEYS:
        return []
    return [name for name, takes in FAMILIES.items() if takes(config)]


def tag_entry(model, tag):
    source = get_pretrained_cfg(model, tag)
    hub, _, file = source.get("hf_hub", "").rpartition("/")
    entry = {"hub": hub, "hub_file": file, "url": source.get("url", "")}
    entry = {key: value for key, value in entry.items() if value}
    if source.get("quick_gelu"):
        entry["quick_gelu"] = True
    for key, default in PREPROCESS_DEFAULT.items():
        value = source[key]
        value = list(value) if isinstance(value, tuple) else value
        if value != default:
            entry[key] = value
    return entry


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write_registry(path):
    rows = []
    for name in sorted(open_clip.list_models()):
        config = open_clip.get_model_config(name)
        if not families_of(config):
            continue
        tags = [f"   {compact(tag)}:{compact(tag_entry(name, tag))}"
                for tag in open_clip.list_pretrained_tags_by_model(name)]
        body = ",\n".join(tags)
        rows.append(f' {compact(name)}:{{\n  "config":{compact(config)},\n'
                    f'  "tags":{{' + (f"\n{body}}}" if tags else "}") + "}")
    path.write_text('{"source":' + compact(f"open_clip {version('open_clip_torch')}")
                    + ',"models":{\n' + ",\n".join(rows) + "}}\n")
    print(path, len(rows), "models")


def write_list(path):
    """Fails if a model is neither known nor left out by name."""
    known = json.loads((ROOT / "src/models/config/registry.json").read_text())["models"]
    rows = []
    for name in sorted(open_clip.list_models()):
        reasons = [why for why, starts in LEFT_OUT.items() if name.startswith(starts)]
        assert (name in known) == (not reasons), f"{name}: {reasons or 'belongs to no family'}"
        row = {"tags": open_clip.list_pretrained_tags_by_model(name)}
        rows.append(f" {compact(name)}:{compact(row | {'left_out': reasons[0]} if reasons else row)}")
    path.write_text('{"source":' + compact(f"open_clip {version('open_clip_torch')}")
                    + ',"models":{\n' + ",\n".join(rows) + "}}\n")
    print(path, len(rows), "models")


def write_templates(path):
    sets = {
        "openai": [make("{}") for make in open_clip.OPENAI_IMAGENET_TEMPLATES],
        "simple": [make("{}") for make in open_clip.SIMPLE_IMAGENET_TEMPLATES],
    }
    path.write_text(json.dumps(sets, indent=1, ensure_ascii=False) + "\n")
    print(path, {name: len(templates) for name, templates in sets.items()})


if __name__ == "__main__":
    (ROOT / "src/tasks").mkdir(exist_ok=True)
    write_registry(ROOT / "src/models/config/registry.json")
    write_list(ROOT / "tests/golden/open_clip_models.json")
    write_templates(ROOT / "src/tasks/templates.json")
