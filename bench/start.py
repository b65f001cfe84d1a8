#!/usr/bin/env python3
"""Process start to first embedding: `openclip embed` of one picture, beside the same in PyTorch.

    python3 -m venv peers && peers/bin/pip install open_clip_torch==3.3.0 safetensors pillow
    peers/bin/python bench/start.py [--rounds 9] [--no-peers]      needs build/openclip

Random weights of --model in f32, f16 and, by `openclip quantize`, int8, in folders that are read once
before, so that they lie in the page cache. Each round runs every program once; the table has medians of
wall, user and system time in milliseconds, and the largest memory in MiB that a look every millisecond
saw: mapped files (shared with the page cache) and the program's own. `load` is the time of the C API's
openclip_create_model_and_transforms, both towers, in a process that did it once before.
"""
import argparse
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PICTURE = ROOT / "samples/cat.png"

PEER = """
import sys, open_clip, torch
from PIL import Image
torch.set_num_threads(int(sys.argv[3]))
model, _, preprocess = open_clip.create_model_and_transforms(sys.argv[1], pretrained=sys.argv[2])
model.eval()
with torch.inference_mode():
    model.encode_image(preprocess(Image.open(sys.argv[4])).unsqueeze(0), normalize=True).numpy()
"""


def make_folders(binary, model, folder):
    """The same random weights as f32, f16 and int8."""
    import open_clip
    import safetensors.torch
    import torch
    torch.manual_seed(0)
    plain = folder / "f32"
    plain.mkdir()
    weights = {name: value.contiguous() for name, value in open_clip.create_model(model).state_dict().items()}
    safetensors.torch.save_file(weights, plain / "open_clip_model.safetensors")
    (plain / "open_clip_config.json").write_text(json.dumps({"model_cfg": open_clip.get_model_config(model)}))
    local = f"local-dir:{plain}"
    subprocess.run([binary, "convert", "--model", local, "--out", folder / "f16", "--precision", "f16", "--quiet"],
                   check=True)
    subprocess.run([binary, "quantize", "--model", local, "--out", folder / "int8", "--quiet"], check=True)
    return {name: folder / name for name in ("f32", "f16", "int8")}


def memory_kib(pid):
    """Resident file pages and resident own pages, while the process lives."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return tuple(int(fields.get(key, "0 kB").split()[0]) for key in ("RssFile", "RssAnon"))


def run(command, watch):
    """Wall, user and system seconds; or, with `watch`, the largest file and own memory seen."""
    begin = time.perf_counter()
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    largest = [0, 0]
    while watch:
        largest = [max(pair) for pair in zip(largest, memory_kib(child.pid))]
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(0.001)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return largest if watch else [wall, usage.ru_utime, usage.ru_stime]


def load_milliseconds(library, folder):
    """Median time of making a model, after one that is not counted."""
    times = []
    for _ in range(10):
        model = ctypes.c_void_p()
        begin = time.perf_counter()
        failed = library.openclip_create_model_and_transforms(
            f"local-dir:{folder}".encode(), None, ctypes.byref(model), None)
        times.append(1e3 * (time.perf_counter() - begin))
        if failed:
            sys.exit(f"cannot load {folder}")
        library.openclip_model_free(model)
    return statistics.median(times[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--binary", default=ROOT / "build/openclip", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folders = make_folders(args.binary, args.model, folder)
        embed = [args.binary, "embed", PICTURE, "--quiet", "--threads", args.threads, "--out", folder / "out.npy"]
        programs = {f"openclip {kind}": embed + ["--model", f"local-dir:{path}"] for kind, path in folders.items()}
        if not args.no_peers:
            programs["open_clip (PyTorch) f32"] = [sys.executable, "-c", PEER, args.model,
                                                   folders["f32"] / "open_clip_model.safetensors", args.threads, PICTURE]
        timed = {title: [] for title in programs}
        memory = {title: run(command, watch=True) for title, command in programs.items()}  # warms up, too
        for _ in range(args.rounds):
            for title, command in programs.items():
                timed[title].append(run(command, watch=False))
        print(f"{args.model}, {args.threads} threads, medians of {args.rounds} rounds")
        print(f"{'':24} {'wall':>7} {'user':>7} {'system':>7} {'files':>7} {'own':>7}  {'load':>6}")
        library = ctypes.CDLL(str(args.binary.parent / "libopenclip.so"))
        for title, rows in timed.items():
            wall, user, system = (statistics.median(column) for column in zip(*rows))
            kind = title.removeprefix("openclip ")
            load = f"{load_milliseconds(library, folders[kind]):6.1f}" if kind in folders else ""
            print(f"{title:24} {1e3 * wall:7.0f} {1e3 * user:7.0f} {1e3 * system:7.0f} "
                  f"{memory[title][0] / 1024:7.0f} {memory[title][1] / 1024:7.0f}  {load}", flush=True)


if __name__ == "__main__":
    main()
