#!/usr/bin/env python3
"""Writes tests/golden/checkpoints: tiny files of torch.save, torch.jit.save and their like, in all layouts
that CLIP checkpoints come in, and expected.safetensors with the tensors that they hold.

    tools/goldens/checkpoints.py [DIR]          needs: pip install torch==2.9.1 safetensors numpy

expected.safetensors names each tensor FILE:NAME; its metadata has the versions.
"""
import argparse
import collections
import json
import pathlib
import sys

import numpy
import safetensors.torch
import torch
from torch import nn

TYPES = dict(double=torch.float64, float=torch.float32, half=torch.float16, bfloat16=torch.bfloat16,
             long=torch.int64, int=torch.int32, short=torch.int16, char=torch.int8,
             byte=torch.uint8, bool=torch.bool)


def all_types():
    values = torch.tensor([[0, 1, 2.5], [100, 0.1, 7]], dtype=torch.float64)
    signed = values - 3
    return {name: (values if dtype == torch.uint8 else signed).to(dtype)
            for name, dtype in TYPES.items()}


def all_views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    image = torch.arange(2 * 3 * 4 * 4, dtype=torch.float16).reshape(2, 3, 4, 4)
    return collections.OrderedDict(
        whole=base, transposed=base.t(), row=base[2], column=base[:, 3], block=base[1:3, 2:5],
        every_other=base[::2, ::3], flipped_dims=base.reshape(2, 2, 6).permute(2, 0, 1),
        expanded=torch.tensor([1.5, -2]).reshape(2, 1).expand(2, 5), scalar=torch.tensor(2.75),
        one=torch.tensor([3.25]), empty=torch.empty(0, 7), channels_last=image.contiguous(
            memory_format=torch.channels_last), parameter=nn.Parameter(base[:2].clone()))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(4, 2)
        self.mlp = nn.Sequential(collections.OrderedDict(
            c_fc=nn.Linear(4, 8), c_proj=nn.Linear(8, 4)))
        self.register_buffer("steps", torch.tensor(7))
        self.mask = torch.zeros(2, 2)  # a plain attribute

    def forward(self, x):
        return self.mlp.c_proj(self.mlp.c_fc(x))


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.scale = nn.Parameter(torch.tensor(4.6))
        self.names = ["a", "b"]
        self.sizes = [224, 16]

    def forward(self, x):
        return self.blocks(x) * self.scale.exp()


class Stamped(nn.Parameter):
    pass


def training():
    model = nn.Sequential(collections.OrderedDict(ln=nn.LayerNorm(4), fc=nn.Linear(4, 2)))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(3, 4)).sum().backward()
    optimizer.step()
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    return state, {"epoch": 3, "name": "run", "state_dict": state,
                   "optimizer": optimizer.state_dict(),
                   "args": argparse.Namespace(lr=1e-3, precision="amp"),
                   "best": numpy.float64(0.5), "scaler": None, "long": 1 << 80}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                          pathlib.Path(__file__).parents[2] / "tests/golden/checkpoints")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    expected = {}

    def holds(file, tensors):
        for name, value in tensors.items():
            expected[f"{file}:{name}"] = value.detach().clone().contiguous()

    def save(file, content, tensors, **options):
        torch.save(content, folder / file, **options)
        holds(file, tensors)

    legacy = dict(_use_new_zipfile_serialization=False)
    for name, tensors in (("types", all_types()), ("views", all_views())):
        save(f"{name}.pt", tensors, tensors)
        save(f"{name}_legacy.pt", tensors, tensors, **legacy)
    small = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1.0, 2]).bfloat16()}
    for protocol in (3, 4, 5):
        save(f"protocol{protocol}.pt", small, small, pickle_protocol=protocol)
    state, checkpoint = training()
    save("training.pt", checkpoint, state)
    save("training_legacy.pt", checkpoint, state, **legacy)
    save("wrapped_model.pth", {"model": small, "iteration": 5}, small)
    save("wrapped_ema.pth", {"state_dict_ema": small, "hash": "x"}, small)
    stamped = Stamped(torch.arange(4.0))
    stamped.note = "kept by torch.save"
    save("stamped.pt", {"p": stamped}, {"p": stamped})
    tower = Tower().half().eval()
    torch.jit.script(tower).save(folder / "script.pt")
    holds("script.pt", dict(tower.state_dict(), **{
        f"blocks.{i}.mask": block.mask for i, block in enumerate(tower.blocks)}))
    block = Block().eval()
    torch.jit.trace(block, torch.randn(1, 4)).save(folder / "trace.pt")
    holds("trace.pt", block.state_dict())
    torch.save(nn.Linear(2, 2), folder / "module.pt")  # a pickled class: to be refused

    halves = {"a.bin": {"w": small["w"]}, "b.bin": {"b": small["b"]}}
    for file, tensors in halves.items():
        torch.save(tensors, folder / f"shard_{file}")
        safetensors.torch.save_file(tensors, folder / f"shard_{file[0]}.safetensors")
    for index, suffix in (("pytorch_model.bin", "bin"), ("model.safetensors", "safetensors")):
        places = {name: f"shard_{file[0]}.{suffix}" for file, tensors in halves.items()
                  for name in tensors}
        (folder / f"{index}.index.json").write_text(
            json.dumps({"metadata": {"total_size": 28}, "weight_map": places}) + "\n")
        holds(f"{index}.index.json", small)
    safetensors.torch.save_file(small, folder / "safetensors_inside.bin")
    holds("safetensors_inside.bin", small)
    save("torch_inside.safetensors", small, small)

    versions = {"torch": torch.__version__.split("+")[0], "safetensors": safetensors.__version__}
    safetensors.torch.save_file(expected, folder / "expected.safetensors", metadata=versions)
    for file in sorted(folder.iterdir()):
        print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main()
