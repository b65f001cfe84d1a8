"""What the tools/gen_*trunks.py share: tables of what the names of timm's image towers stand for."""
import json
import pathlib

import open_clip
import timm
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent


def write_trunks(table, prefixes, facts, with_pool=False, foreign_part=lambda trunk: None):
    """Writes src/models/config/TABLE.json: facts(trunk) of every trunk of these prefixes that a config of open_clip uses,
    built without memory (device `meta`). Those with a foreign_part(trunk) are left out, and named on stdout."""
    names = {}
    for model in open_clip.list_models():
        vision = open_clip.get_model_config(model)["vision_cfg"]
        name = vision.get("timm_model_name") or ""
        if name.startswith(prefixes):
            names[name] = {"global_pool": vision["timm_pool"]} if with_pool else {}
    rows = []
    for name, options in sorted(names.items()):
        with torch.device("meta"):
            trunk = timm.create_model(name, num_classes=0, **options)
        problem = foreign_part(trunk)
        if problem:
            print(f"left out: {name} {problem}")
        else:
            rows.append(f" {json.dumps(name)}:{json.dumps(facts(trunk), separators=(',', ':'))}")
    path = ROOT / "src/models/config" / f"{table}.json"
    path.write_text(f'{{"source":"timm {timm.__version__}","trunks":{{\n' + ",\n".join(rows) + "}}\n")
    print(path, len(rows), "trunks")
