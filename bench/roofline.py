#!/usr/bin/env python3
"""Draws where the layers of the towers stand under the machine's roofs, as SVG.

    roofline.py [--bench build/matmul_bench] [--threads N] --out docs/roofline.svg

Runs bench/matmul_bench, which times every product of the towers, and measures the memory's bandwidth by copying
blocks far larger than the caches. A product of m x k by k x n reads and writes 4 (mk + kn + mn) bytes at least and
does 2 mkn operations; their ratio is its place on the horizontal axis. Needs nothing but Python.
"""
import argparse
import ctypes
import html
import math
import os
import pathlib
import re
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 560, 70, 20, 60, 60
LINE = re.compile(r"(?P<what>.+?)\s+(?P<m>\d+)\s+(?P<k>\d+)\s+(?P<n>\d+)\s+own\s+(?P<gflops>[\d.]+) GFLOP/s")
HEAD = re.compile(r"isa (?P<isa>\S+?), (?P<threads>\d+) threads?, peak (?P<peak>[\d.]+)")
BLOCK = 1 << 28
COLOURS = {"image": "#1f6fb4", "text": "#c2571a"}


def copy_gbytes_per_s(threads):
    """Bytes read and written per second by memmove on every thread, the best of five."""
    blocks = [(ctypes.create_string_buffer(BLOCK), ctypes.create_string_buffer(BLOCK)) for _ in range(threads)]
    best = 0
    for _ in range(6):
        workers = [threading.Thread(target=ctypes.memmove, args=(to, of, BLOCK)) for to, of in blocks]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, 2 * BLOCK * threads / (time.perf_counter() - start) / 1e9)
    return best


def measure(bench, threads):
    text = subprocess.run([bench, str(threads)], capture_output=True, text=True, check=True).stdout
    head = HEAD.search(text)
    layers = []
    for line in text.splitlines():
        if found := LINE.match(line):
            m, k, n = (int(found[key]) for key in "mkn")
            layers.append({"what": f"{found['what'].strip()}", "shape": f"{m} x {k} x {n}",
                           "intensity": 2 * m * k * n / (4 * (m * k + k * n + m * n)),
                           "gflops": float(found["gflops"])})
    return head["isa"], float(head["peak"]), layers


class Axes:
    def __init__(self, intensities, peak):
        self.x0, self.x1 = math.log10(min(intensities) / 2), math.log10(max(intensities) * 2)
        self.y0, self.y1 = math.log10(peak / 60), math.log10(peak * 1.5)

    def x(self, intensity):
        return LEFT + (math.log10(intensity) - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, gflops):
        return HEIGHT - BOTTOM - (math.log10(gflops) - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM)


def ticks(low, high):
    return [mantissa * 10 ** e for e in range(math.floor(low), math.ceil(high) + 1) for mantissa in (1, 2, 5)
            if low <= math.log10(mantissa * 10 ** e) <= high]


def text(x, y, content, anchor="start", size=13, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}" {more}>{html.escape(content)}</text>'


def grid(axes):
    parts = []
    for value in ticks(axes.x0, axes.x1):
        x = axes.x(value)
        parts += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>',
                  text(x, HEIGHT - BOTTOM + 18, f"{value:g}", "middle")]
    for value in ticks(axes.y0, axes.y1):
        y = axes.y(value)
        parts += [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>',
                  text(LEFT - 8, y + 4, f"{value:g}", "end")]
    middle = (HEIGHT + TOP - BOTTOM) / 2
    return parts + [text((WIDTH + LEFT) / 2, HEIGHT - 16, "operations per byte moved at least", "middle"),
                    text(18, middle, "GFLOP/s", "middle", 13, f'transform="rotate(-90 18 {middle:.0f})"')]


def roofs(axes, peak, bandwidth):
    ridge = peak / bandwidth
    start = 10 ** axes.x0
    points = [(axes.x(max(start, 10 ** axes.y0 / bandwidth)), axes.y(max(start * bandwidth, 10 ** axes.y0))),
              (axes.x(ridge), axes.y(peak)), (WIDTH - RIGHT, axes.y(peak))]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return [f'<polyline points="{path}" fill="none" stroke="#444" stroke-width="2"/>',
            text(WIDTH - RIGHT - 4, axes.y(peak) - 8, f"f32 FMA peak, {peak:.0f} GFLOP/s", "end"),
            text(points[0][0] + 30, points[0][1] - 6, f"memory, {bandwidth:.0f} GB/s")]


def points(axes, peak, layers):
    """Numbered dots, and what the numbers mean."""
    parts = []
    for number, layer in enumerate(layers, 1):
        x, y = axes.x(layer["intensity"]), axes.y(layer["gflops"])
        colour = COLOURS["text" if layer["what"].startswith("text") else "image"]
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{colour}" fill-opacity="0.85"/>',
                  text(x, y + 4, str(number), "middle", 11, 'fill="#fff"')]
        parts.append(text(WIDTH / 2 - 20, HEIGHT - BOTTOM - 17 * (len(layers) - number) - 12,
                          f"{number}  {layer['what']} ({layer['shape']}): {layer['gflops']:.0f}, "
                          f"{100 * layer['gflops'] / peak:.0f} %", "start", 12, f'fill="{colour}"'))
    return parts


def draw(isa, threads, peak, bandwidth, layers):
    axes = Axes([layer["intensity"] for layer in layers], peak)
    title = f"Products of the towers under the roofs: {threads} {'thread' if threads == 1 else 'threads'}, {isa}, f32"
    body = [text(LEFT, 30, title, "start", 18), *grid(axes), *roofs(axes, peak, bandwidth),
            *points(axes, peak, layers)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bench", default=str(ROOT / "build/matmul_bench"))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    bandwidth = copy_gbytes_per_s(args.threads)
    isa, peak, layers = measure(args.bench, args.threads)
    args.out.write_text(draw(isa, args.threads, peak, bandwidth, layers))
    for layer in layers:
        print(f"{layer['what']:24} {layer['shape']:20} {layer['gflops']:7.1f} GFLOP/s "
              f"{100 * layer['gflops'] / peak:4.0f} %")


if __name__ == "__main__":
    main()
