"""Writes models/default from a checkpoint folder of openclip-train: weights in half precision, config, tokenizer, label
lists in English and Chinese with their vectors, NOTICE and the logs of the training stages.

    tools/default_model/export.py CHECKPOINT/ema --log LOGS/towers/train.csv LOGS/default/train.csv --out models/default --openclip build/openclip

Matrices and convolutions are stored as f16 (the engine computes in f32); vectors such as BatchNorm's statistics stay f32.
"""

import argparse
import glob
import json
import os
import shutil
import struct
import subprocess
import tempfile

import numpy as np

from common import work

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def read_safetensors(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = f.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*t["data_offsets"])], DTYPES[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }


def write_safetensors(path, tensors, metadata):
    """Larger element types first, so that every tensor is aligned."""
    names = {np.dtype(v): k for k, v in DTYPES.items()}
    header, offset = {"__metadata__": metadata}, 0
    order = sorted(tensors, key=lambda n: (-tensors[n].itemsize, n))
    for name in order:
        t = tensors[name]
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + t.nbytes]}
        offset += t.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            f.write(np.ascontiguousarray(tensors[name]).tobytes())


def to_half(tensors):
    return {n: t.astype(np.float16) if t.dtype == np.float32 and t.ndim > 1 else t for n, t in tensors.items()}


def write_labels(out):
    """The names that the emoji lists are evaluated with; a name that two concepts share stands once."""
    with open(work("eval", "openmoji", "labels.json"), encoding="utf-8") as f:
        labels = json.load(f)
    for language in ("en", "zh"):
        names = dict.fromkeys(label[language] for label in labels if label.get(language))
        with open(os.path.join(out, f"labels.{language}.txt"), "w", encoding="utf-8") as f:
            f.writelines(name + "\n" for name in names)


def write_label_vectors(out, openclip):
    """Lets the program itself compute and keep the vectors of both lists, under the names it will look for."""
    folder = os.path.join(out, "label_vectors")
    shutil.rmtree(folder, ignore_errors=True)
    picture = sorted(glob.glob("samples/*.png"))[0]
    with tempfile.TemporaryDirectory() as cache:
        environment = dict(os.environ, OPENCLIP_CACHE=cache, OPENCLIP_DEFAULT_MODEL=out)
        for language in ("en", "zh"):
            command = [openclip, "classify", picture, "--language", language, "--quiet"]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(os.path.join(cache, "label_vectors"), folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--log", required=True, nargs="+", help="train.csv of each stage, in order")
    parser.add_argument("--out", default="models/default")
    parser.add_argument("--openclip", default="build/openclip")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)

    weights = read_safetensors(os.path.join(options.checkpoint, "open_clip_model.safetensors"))
    write_safetensors(os.path.join(options.out, "open_clip_model.safetensors"), to_half(weights), {"format": "pt"})
    with open(os.path.join(options.checkpoint, "open_clip_config.json"), encoding="utf-8") as f:
        config = json.load(f)
    with open(os.path.join(options.out, "open_clip_config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f, indent=2)
        f.write("\n")
    for name in TOKENIZER_FILES:
        shutil.copy(os.path.join(options.checkpoint, name), options.out)
    shutil.copy(work("NOTICE"), os.path.join(options.out, "NOTICE"))
    for stage, log in enumerate(options.log, 1):
        shutil.copy(log, os.path.join(options.out, f"training_log_{stage}.csv"))
    write_labels(options.out)
    write_label_vectors(os.path.abspath(options.out), os.path.abspath(options.openclip))
    for folder, _, files in os.walk(options.out):
        for name in sorted(files):
            path = os.path.join(folder, name)
            print(f"{os.path.getsize(path):10,d}  {os.path.relpath(path, options.out)}")


if __name__ == "__main__":
    main()
