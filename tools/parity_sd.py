#!/usr/bin/env python3
"""Compares sd-embed with diffusers and transformers: Stable Diffusion 1, 2 and XL.

    tools/parity_sd.py [--full]
    needs: pip install transformers==4.57.1 open_clip_torch==3.3.0 torch safetensors; build/openclip

Against the goldens of tests/golden/diffusers, which diffusers' own pipelines computed from tiny models
(tools/goldens/diffusers_models.py). With --full also at full size, with random weights: the text encoders
of ViT-L/14, ViT-H/14 and ViT-bigG/14 as transformers' CLIPTextModel and CLIPTextModelWithProjection in
folders of transformers (needs CLIP's vocabulary, 8 GB of memory and as much disk under --work). Fails if
any number differs by more than --tolerance.
"""
import argparse
import gc
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests/golden/diffusers"
PROMPTS = ["a red cat", "photo dog red cat, it's 12 photos of a cat and a dog", "red!cat !", ""]
REAL_PROMPTS = ["a photograph of an astronaut riding a horse", "", "a castle, " * 40]
NEGATIVE = "a dog"
# width, layers, heads, activation, projection of the published text encoders.
SIZES = {"ViT-L-14": (768, 12, 12, "quick_gelu", 0), "ViT-H-14": (1024, 23, 16, "gelu", 0),
         "ViT-bigG-14": (1280, 32, 20, "gelu", 1280)}


class Comparison:
    def __init__(self, binary, folder, tolerance):
        self.binary, self.folder, self.tolerance, self.failed = binary, folder, tolerance, False

    def run(self, pipeline, prompts, *options):
        out = self.folder / "out.safetensors"
        subprocess.run([str(x) for x in (self.binary, "sd-embed", *prompts, "--for", pipeline, "--out",
                                         out, "--quiet", *options)], check=True)
        return load_file(out)

    def check(self, title, got, want):
        for name, expected in want.items():
            difference = (got[name].reshape(expected.shape) - expected).abs().max().item()
            ok = difference <= self.tolerance
            self.failed |= not ok
            print(f"{title} {name} {list(expected.shape)}: max abs difference {difference:.1e}, "
                  f"largest {expected.abs().max():.2f} {'ok' if ok else 'FAILED'}", flush=True)


def part(golden, case):
    """The tensors of one case of a golden file."""
    names = {"": lambda n: "." not in n}.get(case, lambda n: n.startswith(case))
    return {name[len(case):]: value for name, value in golden.items() if names(name)}


def check_goldens(compare):
    for pipeline in ("sd1", "sd2", "sdxl"):
        golden, model = load_file(GOLDEN / f"{pipeline}.safetensors"), ("--model", GOLDEN / pipeline)
        compare.check(pipeline, compare.run(pipeline, PROMPTS, "--negative", NEGATIVE, *model),
                      part(golden, ""))
        compare.check(pipeline, compare.run(pipeline, PROMPTS[:1], *model), part(golden, "empty."))
        compare.check(pipeline, compare.run(pipeline, PROMPTS[:1], "--negative", NEGATIVE,
                                            "--clip-skip", 1, *model), part(golden, "clip_skip."))


def text_encoder(name):
    """The published text encoder of SD 1, 2 or XL in size, with random weights of a trained model's scale."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
    width, layers, heads, act, projection = SIZES[name]
    torch.manual_seed(len(name))
    config = CLIPTextConfig(hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
                            num_attention_heads=heads, hidden_act=act, eos_token_id=2,
                            projection_dim=projection or width)
    model = (CLIPTextModelWithProjection if projection else CLIPTextModel)(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if value.ndim == 1:
                value.add_(0.1 * torch.randn_like(value))
    return model


def padded_ids(prompts, pad):
    import open_clip
    ids = open_clip.get_tokenizer("ViT-L-14")(prompts)
    for row in ids:
        row[int(row.argmax()) + 1:] = pad
    return ids


def check_full(compare):
    """Folders of transformers, and diffusers model directories made of them."""
    folders, states, pooled = {}, {}, None
    for name, pad in (("ViT-L-14", 49407), ("ViT-H-14", 0), ("ViT-bigG-14", 0)):
        model = text_encoder(name)
        folders[name] = compare.folder / name
        model.save_pretrained(folders[name])
        with torch.inference_mode():
            out = model(padded_ids(REAL_PROMPTS, pad), output_hidden_states=True)
        states[name] = out.last_hidden_state, out.hidden_states[-2]
        pooled = getattr(out, "text_embeds", None)
        del model, out
        gc.collect()
    compare.check("ViT-L-14 as sd1", compare.run("sd1", REAL_PROMPTS, "--model", folders["ViT-L-14"]),
                  {"prompt_embeds": states["ViT-L-14"][0]})
    compare.check("ViT-H-14 as sd2", compare.run("sd2", REAL_PROMPTS, "--model", folders["ViT-H-14"]),
                  {"prompt_embeds": states["ViT-H-14"][0]})
    want = {"prompt_embeds": torch.cat([states["ViT-L-14"][1], states["ViT-bigG-14"][1]], -1),
            "pooled_prompt_embeds": pooled}
    compare.check("ViT-L-14 and ViT-bigG-14 as sdxl",
                  compare.run("sdxl", REAL_PROMPTS, "--model", folders["ViT-L-14"], "--model-2",
                              folders["ViT-bigG-14"]), want)
    directory = compare.folder / "sdxl"
    directory.mkdir()
    for name, part_of in (("text_encoder", "ViT-L-14"), ("text_encoder_2", "ViT-bigG-14")):
        shutil.move(folders[part_of], directory / name)
    compare.check("both as a diffusers directory",
                  compare.run("sdxl", REAL_PROMPTS, "--model", directory), want)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=ROOT / "build/openclip", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--work", type=pathlib.Path, help="folder for large files")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        compare = Comparison(args.binary, pathlib.Path(folder), args.tolerance)
        check_goldens(compare)
        if args.full:
            check_full(compare)
    sys.exit(compare.failed)


if __name__ == "__main__":
    main()
