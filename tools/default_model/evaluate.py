"""Measures a model on the held-out lists: nearest name by cosine, English and Chinese, bare names as prompts.

Features come from the built program (`openclip embed`) or, with --features DIR, from NAME.images.npy, NAME.en.npy and
NAME.zh.npy written by anything else (see --write-inputs, which writes what has to be embedded). Prints a markdown table
and writes JSON. Every figure has its n, the chance level and a bootstrap 95 % interval.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from common import work

LISTS = ("openmoji", "art4apps", "tuxpaint", "gcompris", "kgeography", "removed", "removed_among_all", "trained_noto", "trained_twemoji",
         "generated_shape", "generated_count", "generated_place")  # fmt: skip


def read_list(name):
    folder = work("eval", name)
    with open(os.path.join(folder, "list.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]

    def optional(file):
        path = os.path.join(folder, file)
        return json.load(open(path, encoding="utf-8")) if os.path.exists(path) else []

    return {"rows": rows, "labels": optional("labels.json"), "coarse": optional("coarse.json"), "images": [os.path.join(folder, r["file"]) for r in rows]}


def texts_of(task, language):
    """Every text that the task needs in one language, without repeats, in a fixed order."""
    texts = [label[language] for label in task["labels"] + task["coarse"]]
    for row in task["rows"]:
        texts += row.get(language, [])
    return list(dict.fromkeys(t for t in texts if t))


class Program:
    """Features from `openclip embed`."""

    def __init__(self, binary, options):
        self.binary, self.options = binary, options

    def run(self, arguments, count):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "features.npy")
            done = subprocess.run([self.binary, "embed", *arguments, "--out", out, "--quiet", *self.options], capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"evaluate: {self.binary} embed failed: {done.stderr.strip()}")
            features = np.load(out)
        if len(features) != count:
            sys.exit(f"evaluate: {len(features)} rows of features for {count} inputs")
        return features

    def images(self, name, paths):
        return np.concatenate([self.run(paths[i : i + 500], len(paths[i : i + 500])) for i in range(0, len(paths), 500)])

    def texts(self, name, language, texts):
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as f:
            f.write("".join(t + "\n" for t in texts))
            f.flush()
            return self.run(["--text-file", f.name], len(texts))


class Stored:
    """Features from .npy files."""

    def __init__(self, folder):
        self.folder = folder

    def images(self, name, paths):
        return np.load(os.path.join(self.folder, f"{name}.images.npy"))

    def texts(self, name, language, texts):
        return np.load(os.path.join(self.folder, f"{name}.{language}.npy"))


def unit(x):
    x = np.asarray(x, np.float32)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def ranks(scores, right):
    """The 0-based rank of the best right candidate of each row; `right` is a boolean matrix. Ties count against."""
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return ((scores >= best) & ~right).sum(1)


def interval(hits, rounds=2000):
    draws = np.random.default_rng(0).integers(0, len(hits), (rounds, len(hits)))
    return [float(v) for v in np.percentile(hits[draws].mean(1), [2.5, 97.5])]


def summary(name, metric, language, rank, candidates, right_share):
    top1 = (rank == 0).astype(float)
    return {
        "list": name, "metric": metric, "language": language, "n": len(rank), "candidates": candidates, "chance": right_share,
        "top1": float(top1.mean()), "top5": float((rank < 5).mean()), "interval": interval(top1), "hits": top1,
    }  # fmt: skip


def by_labels(name, task, language, images, text_of, labels, field, metrics):
    """Nearest name among all labels; a metric counts as right every label whose key equals the true one's."""
    use = [i for i, row in enumerate(task["rows"]) if row.get(field) is not None and labels[row[field]][language]]
    known = [label for label in labels if label[language]]
    if not use or not known:
        return
    scores = images[use] @ np.stack([text_of[label[language]] for label in known]).T
    truth = [labels[task["rows"][i][field]] for i in use]
    for metric, key in metrics:
        right = np.array([[key(a) == key(b) for b in known] for a in truth])
        yield summary(name, metric, language, ranks(scores, right), len(known), float(right.mean()))


def by_choices(name, task, language, images, text_of):
    """Every picture has its own choices."""
    scores = [images[i] @ np.stack([text_of[t] for t in row[language]]).T for i, row in enumerate(task["rows"])]
    rank = np.array([int((s >= s[row["label"]]).sum()) - 1 for s, row in zip(scores, task["rows"])])
    count = len(task["rows"][0][language])
    yield summary(name, "choice", language, rank, count, 1 / count)


def measure(name, source):
    task = read_list(name)
    images = unit(source.images(name, task["images"]))
    out = []
    for language in ("en", "zh"):
        texts = texts_of(task, language)
        text_of = dict(zip(texts, unit(source.texts(name, language, texts))))
        if task["labels"]:
            # Two labels of one name cannot be told apart by their name: both are right.
            metrics = [("strict", lambda label: label[language])]
            if task["rows"][0]["kind"] == "emoji":
                metrics += [("merged", lambda label: label["merged"]), ("subgroup", lambda label: label["subgroup"])]
            out += by_labels(name, task, language, images, text_of, task["labels"], "label", metrics)
            if task["coarse"]:
                out += by_labels(name, task, language, images, text_of, task["coarse"], "coarse", [("kind", lambda label: label["en"])])
        else:
            out += by_choices(name, task, language, images, text_of)
    return out


def differences(results, others):
    """A table of two models' top-1 on the same pictures, with an interval of what the first has more than the second."""
    lines = ["| list | metric | language | n | first, top-1 % | second | difference (95 %) |", "|---|---|---|---|---|---|---|"]
    for r, other in zip(results, others):
        more = r["hits"] - other["hits"]
        low, high = (100 * v for v in interval(more))
        lines.append(
            f"| {r['list']} | {r['metric']} | {r['language']} | {r['n']} | {100 * r['top1']:.1f} | {100 * other['top1']:.1f} | "
            f"{100 * more.mean():+.1f} ({low:+.1f} to {high:+.1f}) |"
        )
    return "\n".join(lines)


def markdown(results):
    lines = ["| list | metric | language | n | names | chance % | top-1 % (95 %) | top-5 % |", "|---|---|---|---|---|---|---|---|"]
    for r in results:
        low, high = (100 * v for v in r["interval"])
        lines.append(
            f"| {r['list']} | {r['metric']} | {r['language']} | {r['n']} | {r['candidates']} | {100 * r['chance']:.2f} | "
            f"{100 * r['top1']:.1f} ({low:.1f}-{high:.1f}) | {100 * r['top5']:.1f} |"
        )
    return "\n".join(lines)


def write_inputs(names, folder):
    os.makedirs(folder, exist_ok=True)
    for name in names:
        task = read_list(name)
        for part, lines in (("images", task["images"]), ("en", texts_of(task, "en")), ("zh", texts_of(task, "zh"))):
            with open(os.path.join(folder, f"{name}.{part}.txt"), "w", encoding="utf-8") as f:
                f.write("".join(line + "\n" for line in lines))


def report(results, json_path):
    """Prints the table, and writes the JSON where a path is given."""
    if json_path:
        rows = [{key: value for key, value in r.items() if key != "hits"} for r in results]
        with open(json_path, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    print(markdown(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/openclip")
    parser.add_argument("--model", help="passed on to the program; without it, the shipped default model")
    parser.add_argument("--pretrained", help="passed on to the program")
    parser.add_argument("--against", metavar="MODEL", help="also measure this model, and print the difference on each list")
    parser.add_argument("--features", metavar="DIR", help="read features from .npy files in place of running the program")
    parser.add_argument("--write-inputs", metavar="DIR", help="write the lists of pictures and texts to embed, and stop")
    parser.add_argument("--lists", default=",".join(LISTS))
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    names = [n for n in arguments.lists.split(",") if os.path.exists(work("eval", n, "list.jsonl"))]
    if not names:
        sys.exit(f"evaluate: no lists under {work('eval')}; run build.sh, or set WORKDIR")
    if arguments.write_inputs:
        return write_inputs(names, arguments.write_inputs)
    options = [v for key in ("model", "pretrained") if getattr(arguments, key) for v in ("--" + key, getattr(arguments, key))]
    source = Stored(arguments.features) if arguments.features else Program(arguments.binary, options)
    results = [r for name in names for r in measure(name, source)]
    report(results, arguments.json)
    if arguments.against:
        other = Program(arguments.binary, ["--model", arguments.against])
        print(differences(results, [r for name in names for r in measure(name, other)]))


if __name__ == "__main__":
    main()
