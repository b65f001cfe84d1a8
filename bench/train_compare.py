#!/usr/bin/env python3
"""Measures openclip-train's steps against Python open_clip's on the same captions, in turn.

    VENV/bin/python bench/train_compare.py [--model ViT-B-32|models/default] [--batch 32] [--only NAME]…

python     open_clip's training step (ClipLoss, AdamW with its groups), f32; pictures ready in memory
loader     the same, pictures decoded and augmented by open_clip's transform in a DataLoader's worker, as `ours` does
ours       openclip-train with all threads, decoding and augmentation included
processes  the same step by --nproc 2: half the pairs and half the threads each

Each turn is a program of its own: a step to warm up, then --steps steps. A figure is the median over all steps of all
rounds; memory is the largest resident size of one process (of `processes`: of the larger one). VENV needs open_clip_torch
and pillow.
"""
import argparse
import collections
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import peers  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trainer", default=ROOT / "build/openclip-train",
                        type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--model", default="ViT-B-32", help="name, or model folder with its tokenizer")
    parser.add_argument("--batch", type=int, default=32, help="pairs of a step")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", action="append", choices=["python", "loader", "ours", "processes"])
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/openclip-train-compare"))
    parser.add_argument("--step-loop", choices=["python", "loader"], help=argparse.SUPPRESS)  # the child of both
    return parser.parse_args()


def folder_of(model):
    """The model's folder, or None where it is a name."""
    return ROOT / model if (ROOT / model / "open_clip_config.json").exists() else None


def image_size(model):
    import open_clip
    folder = folder_of(model)
    config = (json.loads((folder / "open_clip_config.json").read_text())["model_cfg"] if folder
              else open_clip.get_model_config(model))
    return config["vision_cfg"]["image_size"]


def prepare(args):
    """A table of pairs: photographs a little larger than the model's input, captions of natural length."""
    from PIL import Image
    args.dir.mkdir(parents=True, exist_ok=True)
    raw = argparse.Namespace(path=args.dir / "raw", count=64)
    if not (raw.path / "00063.jpg").exists():
        peers.write_pictures(raw)
    side = image_size(args.model) * 8 // 7  # 256 for 224, as img2dataset's users choose
    for path in sorted(raw.path.glob("*.jpg")):
        picture = Image.open(path)
        scale = side / min(picture.size)
        picture.resize([round(x * scale) for x in picture.size], Image.BICUBIC).save(args.dir / path.name, quality=90)
    rows = [f"{i % 64:05}.jpg\t{caption}\n" for i, caption in
            enumerate(peers.captions(args.batch * (args.steps + 1)))]
    (args.dir / "pairs.tsv").write_text("filepath\ttitle\n" + "".join(rows))


def ready_batches(args, tokenizer):
    """The same random pictures for every step."""
    import torch
    size = image_size(args.model)
    images = torch.randn(args.batch, 3, size, size)
    texts = tokenizer((peers.captions(64) * (args.batch // 64 + 1))[:args.batch])
    for _ in range(args.steps + 1):
        yield images, texts


def loaded_batches(args, tokenizer, transform):
    """The pairs of the table."""
    import torch
    from PIL import Image

    class Pairs(torch.utils.data.Dataset):
        rows = [line.split("\t") for line in (args.dir / "pairs.tsv").read_text().splitlines()[1:]]

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, index):
            path, caption = self.rows[index]
            return transform(Image.open(args.dir / path)), tokenizer([caption])[0]

    return torch.utils.data.DataLoader(Pairs(), batch_size=args.batch, num_workers=1, drop_last=True)


def step_loop(args):
    """As open_clip's train_one_epoch without mixed precision; prints the seconds of each step."""
    import open_clip
    import torch

    torch.set_num_threads(args.threads)
    folder = folder_of(args.model)
    name = f"local-dir:{folder}" if folder else args.model
    model, transform, _ = open_clip.create_model_and_transforms(name)
    model.train()
    tokenizer = open_clip.get_tokenizer(name)
    gain_or_bias = [p for n, p in model.named_parameters() if p.ndim < 2 or "logit_scale" in n]
    rest = [p for n, p in model.named_parameters() if not (p.ndim < 2 or "logit_scale" in n)]
    optimizer = torch.optim.AdamW([{"params": gain_or_bias, "weight_decay": 0.0},
                                   {"params": rest, "weight_decay": 0.2}],
                                  lr=5e-4, betas=(0.9, 0.98), eps=1e-6)
    loss_of = open_clip.ClipLoss()
    batches = (ready_batches(args, tokenizer) if args.step_loop == "python"
               else loaded_batches(args, tokenizer, transform))
    begin = time.perf_counter()
    for images, texts in batches:
        optimizer.zero_grad()
        image, text, scale = model(images, texts)[:3]
        loss_of(image, text, scale).backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)
        end = time.perf_counter()
        print(end - begin, flush=True)
        begin = end


def step_times(command, cwd=None):
    """(lines of its output, largest resident size in GB)"""
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        lines = process.stdout.read().split()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"train_compare: failed: {' '.join(command)}")
    return lines, usage.ru_maxrss / 1e6


def run_python(args, kind):
    lines, memory = step_times([sys.executable, __file__, "--step-loop", kind, "--model", args.model, "--batch",
                                str(args.batch), "--steps", str(args.steps), "--threads", str(args.threads),
                                "--dir", str(args.dir)])
    return [float(line) for line in lines], memory


def run_trainer(args, shares):
    logs = args.dir / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    folder = folder_of(args.model)
    model = ["--model", str(folder / "open_clip_config.json"), "--tokenizer", str(folder)] if folder else [
        "--model", args.model]
    _, memory = step_times(
        [args.trainer, *model, "--train-data", "pairs.tsv", "--epochs", "1", "--batch-size", str(args.batch // shares),
         "--nproc", str(shares), "--threads", str(max(1, args.threads // shares)), "--workers", "1", "--precision",
         "fp32", "--log-every-n-steps", "1", "--save-frequency", "0", "--logs", str(logs), "--name", "run"], args.dir)
    with open(logs / "run/train.csv") as file:
        return [float(row["step_seconds"]) for row in csv.DictReader(file)], memory


RUNS = {"python": lambda args: run_python(args, "python"), "loader": lambda args: run_python(args, "loader"),
        "ours": lambda args: run_trainer(args, 1), "processes": lambda args: run_trainer(args, 2)}


def main():
    args = arguments()
    if args.step_loop:
        return step_loop(args)
    prepare(args)
    seconds, memory = collections.defaultdict(list), {}
    for _ in range(args.rounds):
        for name in args.only or RUNS:
            times, peak = RUNS[name](args)
            seconds[name] += times[1:]
            memory[name] = max(peak, memory.get(name, 0))
    for name, times in seconds.items():
        step = statistics.median(times)
        print(f"{name:10} {step:7.3f} s a step ({min(times):.3f} to {max(times):.3f}), {args.batch / step:7.2f} pairs/s, "
              f"{memory[name]:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
