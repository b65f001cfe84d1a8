#!/usr/bin/env python3
"""Writes the measured figures of the shipped model into README.md, README.zh-CN.md and docs/default_model.md, between their
marks <!-- figures --> and <!-- /figures -->.

    tools/default_model/figures.py            after evaluate.py --json and baseline_hog.py --json, both into models/default
    tools/default_model/figures.py --check    fails if a page says anything else than the measurement
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "models/default"
MARKED = re.compile(r"(<!-- figures -->\n).*?(\n<!-- /figures -->)", re.S)
SHOWN = ("openmoji", "art4apps", "tuxpaint", "trained_noto")
WORDS = {
    "en": {
        "head": "| pictures | candidates | language | n | chance % | top-1 % (95 %) | top-5 % | HOG neighbour, no learning |",
        "openmoji": "OpenMoji, an artist never seen", "art4apps": "Art4Apps, another unseen artist", "tuxpaint": "Tux Paint photographs",
        "trained_noto": "Noto, trained pictures (fit, not a test)", "names": " names", "strict": "", "merged": ", alike merged",
        "subgroup": ", right subgroup", "kind": " (kinds)",
    },
    "zh": {
        "head": "| 图片 | 候选 | 语言 | n | 随机猜中 % | top-1 %（95 % 区间） | top-5 % | 不学习的 HOG 近邻 |",
        "openmoji": "OpenMoji，从未见过的画家", "art4apps": "Art4Apps，另一位未见过的画家", "tuxpaint": "Tux Paint 照片",
        "trained_noto": "Noto，训练过的图片（拟合程度，不是测试）", "names": " 个名称", "strict": "", "merged": "，近义合并",
        "subgroup": "，只看子类", "kind": "（大类）",
    },
}  # fmt: skip


def figures(row):
    low, high = (100 * v for v in row["interval"])
    return f"{100 * row['top1']:.1f} ({low:.1f}-{high:.1f}) | {100 * row['top5']:.1f}"


def hog(row, baseline):
    found = baseline.get((row["list"], row["metric"]))
    return f"{100 * found['top1']:.1f} / {100 * found['top5']:.1f}" if found else "–"


def short_table(rows, baseline, words):
    lines = [words["head"], "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["list"] not in SHOWN or (row["list"] == "trained_noto" and row["metric"] != "strict"):
            continue
        candidates = f"{row['candidates']}{words['names']}{words[row['metric']]}"
        lines.append(f"| {words[row['list']]} | {candidates} | {row['language']} | {row['n']} | {100 * row['chance']:.2f} | {figures(row)} | {hog(row, baseline)} |")
    return "\n".join(lines)


def full_table(rows, baseline):
    lines = ["| list | metric | language | n | names | chance % | top-1 % (95 %) | top-5 % | HOG top-1 / top-5 % |", "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row['list']} | {row['metric']} | {row['language']} | {row['n']} | {row['candidates']} | {100 * row['chance']:.2f} | "
            f"{figures(row)} | {hog(row, baseline)} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    rows = json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))
    baseline = {}
    for row in json.loads((MODEL / "baseline.json").read_text(encoding="utf-8")):
        name, method = row["list"].split(": ")
        if method == "hog":
            baseline[name, row["metric"]] = row
    pages = {
        "README.md": short_table(rows, baseline, WORDS["en"]),
        "README.zh-CN.md": short_table(rows, baseline, WORDS["zh"]),
        "docs/default_model.md": full_table(rows, baseline),
    }
    wrong = []
    for name, table in pages.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        if len(MARKED.findall(text)) != 1:
            sys.exit(f"figures: {name} must hold <!-- figures --> and <!-- /figures --> once")
        new = MARKED.sub(lambda match: match.group(1) + table + match.group(2), text)
        if new != text:
            wrong.append(name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if check and wrong:
        sys.exit(f"figures: {', '.join(wrong)} differ from models/default/evaluation.json; run tools/default_model/figures.py")


if __name__ == "__main__":
    main()
