#!/usr/bin/env python3
"""Measures openclip and its peers in turn and prints how they compare.

    compare.py --python VENV/bin/python [--model ViT-B-32] [--rounds 5] [--json FILE] [--only TASK]…

Every program is started and warmed up once, then all take turns: a round measures each of them for --seconds, so
that whatever else the machine does falls on all alike. A figure is the median over the rounds; rounds in which openclip
found less than 90 % of the best f32 limit that was seen are left out, for then something else ran. VENV holds the peers'
packages (bench/peers.py lists them); what cannot be imported or run is reported and left out.
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXT_ONLY = ["clipcpp"]
F32, LOW = ["torch", "compile", "ort", "ov"], ["bf16", "ort8", "ov8"] + TEXT_ONLY
BOTH = [name for name in F32 + LOW if name not in TEXT_ONLY]

# name: (what it asks for, peers)
WORK = {
    "image, batch 1": ({"task": "image", "batch": 1}, BOTH),
    "image, batch 32": ({"task": "image", "batch": 32}, BOTH),
    "text, one caption": ({"task": "text", "batch": 1}, F32 + LOW),
    "text, 64 captions": ({"task": "text", "batch": 64}, F32 + LOW),
    "zero-shot classifier": ({"task": "zeroshot"}, ["torch", "ort", "ov", "ort8", "ov8"]),
    "JPEG to tensor": ({"task": "preprocess"}, ["pillow"]),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--openclip", default=str(ROOT / "build/openclip"))
    parser.add_argument("--python", default=sys.executable, help="with the peers' packages")
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/openclip-compare"))
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--precisions", default="f32", help="openclip's, separated by commas")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of a measurement")
    parser.add_argument("--classes", type=int, default=200,
                        help="of openclip's zero-shot classifier; more of them share more")
    parser.add_argument("--peer-classes", type=int, default=1, help="the peers', whose time grows with it")
    parser.add_argument("--only", action="append", choices=list(WORK))
    parser.add_argument("--peers", help="separated by commas")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


class Peer:
    """bench/peers.py serve, kept alive between the rounds."""

    def __init__(self, name, args):
        self.name, self.args = name, args
        self.errors = open(args.dir / f"{name}.log", "w")
        self.process = subprocess.Popen(
            [args.python, str(ROOT / "bench/peers.py"), "serve", str(args.dir), "--model", args.model, "--peer",
             name, "--threads", str(args.threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def ask(self, request, seconds):
        """Spinning workers of a peer that waits would disturb the next, so it is stopped between its turns."""
        if self.process.poll() is not None:
            raise RuntimeError(f"ended; see {self.errors.name}")
        self.process.send_signal(signal.SIGCONT)
        request = dict(request, seconds=seconds, classes=self.args.peer_classes)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:  # libraries print here as well
            if line.startswith("{"):
                self.process.send_signal(signal.SIGSTOP)
                answer = json.loads(line)
                if "problem" in answer:
                    raise RuntimeError(answer["problem"])
                return answer
        raise RuntimeError(f"ended; see {self.errors.name}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.errors.close()


class Own:
    """`openclip bench`, started anew each time: that takes a fraction of a second."""

    def __init__(self, precision, args):
        self.name, self.precision, self.args = f"openclip {precision}", precision, args

    def ask(self, request, seconds):
        args = self.args
        command = [args.openclip, "bench", "--json", "--quiet", "--model", args.model, "--threads",
                   str(args.threads), "--task", request["task"], "--seconds", str(seconds)]
        if "batch" in request:
            command += ["--batch", str(request["batch"])]
        if request["task"] == "preprocess":
            command += ["--images", str(args.dir / "pictures")]
        else:
            command += ["--precision", self.precision, "--pretrained", str(args.dir / f"{args.model}.safetensors")]
        if request["task"] in ("text", "zeroshot"):
            classes = args.classes if seconds else 1
            command += ["--labels-file", str(args.dir / "names.txt"), "--classes", str(classes)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout)

    def close(self):
        pass


def prepare(args):
    def peers(*arguments):
        subprocess.run([args.python, str(ROOT / "bench/peers.py"), *map(str, arguments)], check=True)
    args.dir.mkdir(parents=True, exist_ok=True)
    if not (args.dir / f"{args.model}.safetensors").exists():
        peers("weights", args.dir, "--model", args.model)
    if not (args.dir / "names.txt").exists():
        peers("names", args.dir / "names.txt")
    if not (args.dir / "pictures").exists():
        peers("pictures", args.dir / "pictures")


def compare(work, programs, args, problems):
    """All measurements of one kind of work: [{program: result} of each round]."""
    request, peers = WORK[work]
    able = []
    for program in programs:
        own = program.name.startswith("openclip")
        if not own and program.name not in peers or own and request["task"] == "preprocess" and able:
            continue
        try:
            program.ask(request, 0)
            able.append(program)
        except RuntimeError as problem:
            problems.append(f"{work}, {program.name}: {problem}")
            print(problems[-1], file=sys.stderr)
    return [one_round(able, request, args.seconds) for _ in range(args.rounds)]


def one_round(programs, request, seconds):
    return {program.name: program.ask(request, seconds) for program in programs}


def limit(one):
    """The f32 limit that openclip measured in a round."""
    return min(result["machine_gflops"] for name, result in one.items() if name.startswith("openclip"))


def median_rates(rounds, best_limit):
    quiet = [one for one in rounds if limit(one) >= 0.9 * best_limit] or rounds
    return {name: statistics.median(one[name]["items_per_s"] for one in quiet) for name in rounds[0]}, len(quiet)


def best_of(rates, names):
    present = {name: rates[name] for name in names if name in rates}
    return max(present.items(), key=lambda item: item[1], default=(None, 0))


def table(everything, best_limit):
    """Markdown: one row for each kind of work and precision of ours."""
    lines = ["| work | openclip | items/s | best peer, f32 | items/s | ratio | best peer, low precision | items/s | ratio |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for work, rounds in everything.items():
        rates, quiet = median_rates(rounds, best_limit)
        if quiet < len(rounds):
            work += f" ({quiet} quiet rounds)"
        f32, low = best_of(rates, F32 + ["pillow"]), best_of(rates, LOW)
        for name, rate in rates.items():
            if not name.startswith("openclip"):
                continue
            cells = [work, name.removeprefix("openclip "), f"{rate:.4g}"]
            for peer, other in (f32, low):
                cells += [peer, f"{other:.4g}", f"{rate / other:.2f}"] if peer else ["–"] * 3
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    args = arguments()
    prepare(args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the peers are ended too
    wanted = args.peers.split(",") if args.peers else F32 + LOW + ["pillow"]
    programs = [Own(precision, args) for precision in args.precisions.split(",")]
    problems, everything = [], {}
    try:
        programs += [Peer(name, args) for name in wanted]
        for work in args.only or WORK:
            everything[work] = compare(work, programs, args, problems)
    finally:
        for program in programs:
            program.close()
    best_limit = max(limit(one) for rounds in everything.values() for one in rounds)
    isa = next(result["isa"] for result in next(iter(everything.values()))[0].values() if "isa" in result)
    summary = {"model": args.model, "threads": args.threads, "rounds": args.rounds,
               "date": time.strftime("%Y-%m-%d"), "isa": isa, "machine_gflops": best_limit,
               "problems": problems, "rounds_of": everything}
    if args.json:
        args.json.write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{args.model}, {args.threads} threads, {isa}, f32 limit {best_limit:.0f} GFLOP/s, "
          f"median of {args.rounds} rounds\n")
    print(table(everything, best_limit))


if __name__ == "__main__":
    main()
