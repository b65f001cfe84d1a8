#!/usr/bin/env python3
"""Load on a running server, and how it stands it. Python's standard library only.

    tools/serve_load.py mixed --url http://127.0.0.1:8080 --clients 64 --minutes 10
    tools/serve_load.py throughput --url http://127.0.0.1:8080 --clients 32 --seconds 30 --bench "build/openclip bench …"

mixed: each client sends texts, pictures and both in turn; prints answers by status, latencies, and
the slope of the server's memory (least squares over its resident size, sampled each second after the
first tenth). throughput: each client sends one picture after the other; with --bench, what the same
machine computes at batch 32 without a server, measured before and after, and the ratio. The clients
share the server's processors: cores says how many of them each side used.
"""
import argparse
import base64
import collections
import functools
import http.client
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS = "red green small large cat dog house tree car umbrella heart river people laughing at night".split()


def pictures():
    return ["data:image/png;base64," + base64.b64encode(p.read_bytes()).decode()
            for p in sorted((ROOT / "samples").glob("*.png"))]


@functools.lru_cache(maxsize=64)
def one_picture(image):
    return json.dumps({"input": [image], "encoding_format": "base64"}).encode()


def body_of(kind, number, images):
    if kind == "one":
        return one_picture(images[number % len(images)])
    texts = [" ".join(WORDS[(number * 7 + i * k) % len(WORDS)] for k in range(1, 6)) for i in range(1 + number % 8)]
    picks = [images[(number + i) % len(images)] for i in range(1 + number % 3)]
    inputs = {"text": texts, "picture": picks, "mixed": texts[:2] + picks[:1]}[kind]
    return json.dumps({"input": inputs, "encoding_format": "base64"})


class Client(threading.Thread):
    def __init__(self, place, number, kinds, end, images):
        super().__init__(daemon=True)
        self.place, self.number, self.kinds, self.end, self.images = place, number, kinds, end, images
        self.times, self.statuses, self.errors = [], collections.Counter(), []

    def run(self):
        connection = None
        turn = self.number * 1000
        while time.monotonic() < self.end:
            turn += 1
            body = body_of(self.kinds[turn % len(self.kinds)], turn, self.images)
            began = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection(*self.place, timeout=90)
                connection.request("POST", "/v1/embeddings", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                self.statuses[response.status] += 1
                self.times.append((time.monotonic(), time.monotonic() - began))
                if response.status == 429:
                    time.sleep(0.2)
            except OSError as error:
                self.errors.append(repr(error))
                connection = None


def server_pid(port):
    """The process that listens on the port, from /proc."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    sys.exit(f"no process listens on port {port}")


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024


def processor_seconds(pid):
    """User and system time of a process and all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slope(samples):
    """Least squares: (MB per minute, its standard error)."""
    xs, ys = [s[0] / 60 for s in samples], [s[1] for s in samples]
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    square = sum((x - mx) ** 2 for x in xs)
    b = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / square
    rest = sum((y - my - b * (x - mx)) ** 2 for x, y in zip(xs, ys))
    return b, (rest / max(len(xs) - 2, 1) / square) ** 0.5


def load(place, clients, seconds, kinds, watch=None):
    images = pictures()
    began = time.monotonic()
    threads = [Client(place, i, kinds, began + seconds, images) for i in range(clients)]
    for thread in threads:
        thread.start()
    samples = []
    while any(thread.is_alive() for thread in threads):
        time.sleep(1 if watch else 0.1)
        if watch and seconds / 10 < time.monotonic() - began < seconds:
            samples.append((time.monotonic() - began, resident_mb(watch)))
    statuses, errors = collections.Counter(), []
    for thread in threads:
        statuses += thread.statuses
        errors += thread.errors
    return [t for thread in threads for t in thread.times], statuses, errors, samples, began


def quantile(values, q):
    return sorted(values)[min(int(q * len(values)), len(values) - 1)]


def mixed(args, place):
    pid = server_pid(place[1])
    times, statuses, errors, samples, _ = load(place, args.clients, 60 * args.minutes,
                                               ["text", "picture", "mixed"], pid)
    durations = [d for _, d in times]
    per_minute, error = slope(samples)
    print(json.dumps({
        "clients": args.clients, "minutes": args.minutes, "requests": len(durations),
        "per_second": round(len(durations) / args.minutes / 60, 1),
        "statuses": {str(k): v for k, v in sorted(statuses.items())}, "errors": len(errors),
        "p50_ms": round(1000 * quantile(durations, .5), 1), "p99_ms": round(1000 * quantile(durations, .99), 1),
        "max_ms": round(1000 * max(durations), 1),
        "rss_mb": [round(samples[0][1], 1), round(samples[-1][1], 1)],
        "rss_slope_mb_per_minute": round(per_minute, 3), "slope_error": round(error, 3)}))
    bad = {s for s in statuses if s not in (200, 429)}
    for text in errors[:5]:
        print(text, file=sys.stderr)
    return 1 if bad or errors else 0


def bench_rate(command):
    done = subprocess.run(shlex.split(command), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["items_per_s"]


def throughput(args, place):
    before = bench_rate(args.bench) if args.bench else None
    pids = {"server": server_pid(place[1]), "clients": os.getpid()}
    start, spent = time.monotonic(), {side: processor_seconds(pid) for side, pid in pids.items()}
    times, statuses, errors, _, began = load(place, args.clients, args.seconds, ["one"])
    cores = {side: round((processor_seconds(pid) - spent[side]) / (time.monotonic() - start), 3)
             for side, pid in pids.items()}
    # The first fifth warms up; what ends later than the clients began to stop is not counted.
    first, last = began + args.seconds / 5, began + args.seconds
    rate = sum(first < end <= last for end, _ in times) / (last - first)
    result = {"clients": args.clients, "seconds": args.seconds, "pictures_per_second": round(rate, 2),
              "statuses": {str(k): v for k, v in sorted(statuses.items())}, "errors": len(errors),
              "p50_ms": round(1000 * quantile([d for _, d in times], .5), 1), "cores": cores}
    if args.bench:
        after = bench_rate(args.bench)
        result |= {"bench_items_per_s": [before, after], "ratio": round(2 * rate / (before + after), 3)}
    print(json.dumps(result))
    return 1 if errors or set(statuses) != {200} else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["mixed", "throughput"])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--bench", default="")
    args = parser.parse_args()
    url = urllib.parse.urlsplit(args.url)
    sys.exit({"mixed": mixed, "throughput": throughput}[args.task](args, (url.hostname, url.port)))


if __name__ == "__main__":
    main()
