#!/usr/bin/env python3
"""Measures openclip's search against faiss and hnswlib on the same vectors, in turn.

Run it with a Python that has numpy, faiss-cpu and hnswlib:

    VENV/bin/python bench/search_compare.py [--rows 1000000] [--dim 512] [--graph] [--dir DIR]

Vectors are noisy points of a 32-dimensional space turned into --dim dimensions, as features of
pictures are: near neighbours exist. Queries are other points of it. A round measures everyone for
--seconds; a figure is the median over the rounds. Recall is counted against faiss's flat index.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

WIDTHS = [*range(10, 64, 2), *range(64, 256, 8), *range(256, 1024, 16)]
ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--openclip", default=str(ROOT / "build/openclip"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--dtype", default="f32", help="of openclip's vectors")
    parser.add_argument("--batches", default="1,64")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--graph", action="store_true", help="graphs instead of exact search")
    parser.add_argument("--links", type=int, default=16)
    parser.add_argument("--width", type=int, default=200, help="while linking")
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/openclip-search"))
    parser.add_argument("--prepare", action="store_true", help="only make data and index")
    return parser.parse_args()


def make_rows(count, dim, seed, chunk=50_000):
    random = np.random.default_rng(0)
    turn = random.standard_normal((32, dim), dtype=np.float32)
    random = np.random.default_rng(seed)
    rows = np.empty((count, dim), np.float32)
    for begin in range(0, count, chunk):
        some = min(chunk, count - begin)
        part = random.standard_normal((some, 32), dtype=np.float32) @ turn
        part += random.standard_normal((some, dim), dtype=np.float32)
        rows[begin:begin + some] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def prepare(args):
    """(vectors, queries, index); what exists is kept."""
    args.dir.mkdir(parents=True, exist_ok=True)
    rows, queries = args.dir / f"{args.rows}x{args.dim}.npy", args.dir / f"q{args.dim}.npy"
    index = args.dir / f"{args.rows}x{args.dim}.{args.dtype}.index"
    if not rows.exists():
        np.save(rows, make_rows(args.rows, args.dim, 1))
        np.save(queries, make_rows(256, args.dim, 2))
    if not index.exists():
        began = time.time()
        run(args.openclip, "index", rows, "--out", index, "--dtype", args.dtype, "--quiet")
        print(f"openclip index: {time.time() - began:.1f} s")
    return rows, queries, index


def seconds_per_call(call, seconds):
    call()
    times = []
    began = time.time()
    while len(times) < 3 or time.time() - began < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def openclip_seconds(args, index, queries, batch, options):
    report = json.loads(run(args.openclip, "bench", "--task", "search", "--index", index,
                            "--queries", queries, "--batch", batch, "--seconds", args.seconds,
                            "--threads", args.threads, "--json", *options))
    return report["seconds"], report["peak_rss_mb"]


def openclip_hits(args, index, queries, options):
    text = run(args.openclip, "search", index, "--vectors", queries, "-k", 10, "--threads",
               args.threads, *options)
    # Items of EMB.npy are numbered from 1 in the order of the rows.
    return np.array([[hit["id"] - 1 for hit in hits] for hits in json.loads(text)])


def recall(got, want):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(got, want)])


def narrowest(name, hits_at, want):
    """The narrowest search that finds 0.95 of the ten nearest, where one does."""
    for width in WIDTHS:
        found = recall(hits_at(width), want)
        if found >= 0.95:
            break
    print(f"{name}: recall@10 {found:.4f} at width {width}")
    return width


def main():
    args = arguments()
    rows_path, queries_path, index = prepare(args)
    if args.graph and not (index / "graph.ocg").exists():
        began = time.time()
        report = json.loads(run(args.openclip, "index", rows_path, "--out", index, "--dtype",
                                args.dtype, "--graph", "--graph-links", args.links,
                                "--graph-width", args.width, "--threads", args.threads, "--json"))
        print(f"openclip graph: {time.time() - began:.1f} s, {report['graph']}")
    if args.prepare:
        return
    # Before this process grows: a child's peak is not below its parent's size at its start.
    memory = openclip_seconds(args, index, queries_path, 1, [] if args.graph else ["--exact"])[1]
    import faiss
    faiss.omp_set_num_threads(args.threads)
    rows, queries = np.load(rows_path, mmap_mode="r"), np.load(queries_path)
    flat = faiss.IndexFlatIP(args.dim)
    flat.add(np.ascontiguousarray(rows))
    want = flat.search(queries, 10)[1]
    options = [] if args.graph else ["--exact"]
    contenders = {}
    if args.graph:
        import hnswlib
        peer = hnswlib.Index("ip", args.dim)
        saved = args.dir / f"{args.rows}x{args.dim}.hnswlib"
        if saved.exists():
            peer.load_index(str(saved), max_elements=args.rows)
        else:
            began = time.time()
            peer.init_index(args.rows, ef_construction=args.width, M=args.links)
            peer.add_items(rows, num_threads=args.threads)
            print(f"hnswlib: built in {time.time() - began:.1f} s")
            peer.save_index(str(saved))

        def peer_hits(width):
            peer.set_ef(width)
            return peer.knn_query(queries, 10, num_threads=args.threads)[0]

        narrowest("hnswlib", peer_hits, want)
        contenders["hnswlib"] = lambda some: peer.knn_query(some, 10, num_threads=args.threads)
        options = ["--width", narrowest(
            "openclip", lambda width: openclip_hits(args, index, queries_path, ["--width", width]), want)]
    else:
        contenders["faiss flat"] = lambda some: flat.search(some, 10)
        print(f"openclip: recall@10 "
              f"{recall(openclip_hits(args, index, queries_path, options), want):.4f}")
    for batch in map(int, args.batches.split(",")):
        times = {"openclip": []}
        for name in contenders:
            times[name] = []
        for _ in range(args.rounds):
            times["openclip"].append(openclip_seconds(args, index, queries_path, batch, options)[0])
            for name, call in contenders.items():
                times[name].append(seconds_per_call(lambda: call(queries[:batch]), args.seconds))
        ours = statistics.median(times["openclip"])
        print(f"{batch} at a time:", ", ".join(
            f"{name} {1000 * statistics.median(t):.3f} ms"
            + ("" if name == "openclip" else f" ({statistics.median(t) / ours:.2f}x)")
            for name, t in times.items()))
    print(f"memory: openclip {memory} MB with the mapped file, "
          f"this process with {len(contenders)} peer, faiss' flat index and numpy "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
