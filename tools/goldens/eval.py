#!/usr/bin/env python3
"""Writes tests/golden/eval: what CLIP_benchmark and scikit-learn measure.

    pip install open_clip_torch==3.3.0 clip-benchmark==1.6.2 webdataset scikit-learn tokenizers safetensors
    tools/goldens/eval.py

metrics.safetensors, metrics.json: random features, and CLIP_benchmark's classification, retrieval and
multi-label figures for them; scikit-learn's logistic regression.
wds_*/: small data sets in CLIP_benchmark's layout (pictures drawn here), and in wds.json what
CLIP_benchmark measures on them with tests/golden/tiny_model.
"""
import io
import json
import pathlib
import random
import tarfile

import clip_benchmark.metrics.zeroshot_classification as classification
import clip_benchmark.metrics.zeroshot_retrieval as retrieval
import numpy
import open_clip
import sklearn
import torch
from clip_benchmark.datasets.builder import build_wds_dataset
from PIL import Image, ImageDraw
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "tests/golden/eval"
MODEL = ROOT / "tests/golden/tiny_model"
CLASSES, DIM = 7, 12
# CLIP_benchmark makes a number of an array with one entry, which newer numpy refuses.
classification.float = lambda array: numpy.asarray(array).item()
COLOURS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (50, 80, 220),
           "yellow": (230, 210, 50), "black": (15, 15, 15), "grey": (128, 128, 128)}


class Fixed:
    """A model whose pictures and token ids are their own features."""

    def __init__(self, texts):
        self.texts = texts

    def encode_image(self, images):
        return images

    def encode_text(self, ids):
        return self.texts[ids]


class Loader(list):
    """Batches with the `dataset` that CLIP_benchmark looks at."""

    class dataset:
        classes = []


def batches(images, targets, size):
    loader = Loader([(images[i:i + size], targets[i:i + size]) for i in range(0, len(images), size)])
    loader.dataset.classes = [str(c) for c in range(CLASSES)]
    return loader


def normal(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape).astype(numpy.float32))


def on_random_features():
    rng = numpy.random.default_rng(7)
    texts = normal(rng, CLASSES, DIM)
    targets = torch.from_numpy(rng.choice(CLASSES, 150, p=[.4, .2, .1, .1, .1, .1, 0])).long()
    images = texts[targets] + 1.5 * normal(rng, 150, DIM)

    def tokenizer(prompts):
        return torch.tensor([int(p) for p in prompts])

    model = Fixed(texts)
    result = {"classification": classification.evaluate(
        model, batches(images, targets, 32), tokenizer, [str(c) for c in range(CLASSES)], ["{c}"],
        "cpu", amp=False)}
    many = (torch.from_numpy(rng.random((150, CLASSES))) < .3).long()
    many[:, -1] = 0  # a class that nobody has
    result["multilabel"] = classification.evaluate(
        model, batches(images, many, 32), tokenizer, [str(c) for c in range(CLASSES)], ["{c}"],
        "cpu", amp=False)

    owners = torch.from_numpy(numpy.repeat(numpy.arange(150), rng.integers(1, 6, 150)))
    captions = images[owners] + 2.5 * normal(rng, len(owners), DIM)
    lists = [[] for _ in range(150)]
    for row, owner in enumerate(owners.tolist()):
        lists[owner].append(str(row))
    loader = [(images[i:i + 32], lists[i:i + 32]) for i in range(0, 150, 32)]
    result["retrieval"] = retrieval.evaluate(Fixed(captions), loader, tokenizer, "cpu", amp=False,
                                             recall_k_list=[1, 5, 10])

    unit = torch.nn.functional.normalize(images, dim=-1).numpy()
    probe = LogisticRegression(C=0.7, max_iter=10000, tol=1e-7).fit(unit.astype(numpy.float64), targets)
    used = numpy.unique(targets.numpy())  # the last class does not occur
    assert list(used) == list(range(CLASSES - 1))
    result["probe_c"] = 0.7
    save_file({"images": images.numpy(), "texts": texts.numpy(),
               "targets": targets.numpy().astype(numpy.int32), "many": many.numpy().astype(numpy.uint8),
               "captions": captions.numpy(), "owners": owners.numpy().astype(numpy.int64),
               "probe_weights": numpy.ascontiguousarray(probe.coef_, dtype=numpy.float32),
               "probe_bias": probe.intercept_.astype(numpy.float32)}, OUT / "metrics.safetensors")
    result["versions"] = {"clip_benchmark": "1.6.2", "sklearn": sklearn.__version__,
                          "torch": torch.__version__}
    (OUT / "metrics.json").write_text(json.dumps(result, indent=1) + "\n")


def draw(rng, colour, shape):
    size = rng.randrange(24, 48)
    picture = Image.new("RGB", (size, rng.randrange(24, 48)), (250, 250, 245))
    a, b = sorted(rng.sample(range(size), 2))
    paint = ImageDraw.Draw(picture)
    (paint.ellipse if shape == "circle" else paint.rectangle)([a, a, b + 6, b + 6], COLOURS[colour])
    if rng.random() < .3:  # one that is resized in another way before its conversion to RGB
        picture = picture.quantize(16)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def write_shard(path, samples):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for key, parts in samples:
            for extension, data in parts.items():
                info = tarfile.TarInfo(f"{key}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def write_wds(name, kind, label):
    """Two shards of 20 pictures; label(rng, colour number, shape) gives the sample's other part."""
    rng = random.Random(name)
    folder = OUT / name
    (folder / "test").mkdir(parents=True, exist_ok=True)
    colours = list(COLOURS)
    for shard in range(2):
        samples = []
        for i in range(20):
            colour, shape = rng.randrange(len(colours)), rng.choice(["circle", "square"])
            picture = draw(rng, colours[colour], shape)
            samples.append((f"s{i:04}", {"png": picture, **label(rng, colour, shape)}))
        write_shard(folder / f"test/{shard}.tar", samples)
    (folder / "test/nshards.txt").write_text("2")
    if kind != "retrieval":
        (folder / "classnames.txt").write_text("\n".join(colours) + "\n")
        (folder / "zeroshot_classification_templates.txt").write_text("{c}\na {c} shape\n")
    if kind != "classification":
        (folder / "dataset_type.txt").write_text(kind)


def npy(values):
    out = io.BytesIO()
    numpy.save(out, numpy.array(values, dtype=numpy.int64))
    return out.getvalue()


def on_wds():
    names = list(COLOURS)
    write_wds("wds_classification", "classification",
              lambda rng, colour, shape: {"cls": str(colour).encode()})
    write_wds("wds_multilabel", "multilabel", lambda rng, colour, shape: {
        "npy": npy([c == colour or rng.random() < .2 for c in range(len(names))])})
    write_wds("wds_retrieval", "retrieval", lambda rng, colour, shape: {
        "txt": "\n".join([f"{names[colour]} {rng.randrange(1000)}", f"{rng.randrange(1000)} {shape}"]
                         [:rng.randrange(1, 3)]).encode()})

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{MODEL}")
    model.eval()
    tokens = Tokenizer.from_file(str(MODEL / "tokenizer.json"))

    def tokenizer(texts):
        lists = [tokens.encode(t).ids for t in texts]
        return torch.tensor([ids + [0] * (model.context_length - len(ids)) for ids in lists])

    result = {}
    for name in ("wds_classification", "wds_multilabel"):
        dataset = build_wds_dataset(name, preprocess, data_dir=str(OUT / name))
        rows = list(dataset)
        loader = Loader([(torch.stack([x for x, _ in rows[i:i + 8]]),
                          torch.tensor(numpy.array([y for _, y in rows[i:i + 8]])))
                         for i in range(0, len(rows), 8)])
        loader.dataset.classes = dataset.classes
        result[name] = classification.evaluate(model, loader, tokenizer, dataset.classes,
                                               dataset.templates, "cpu", amp=False)
    rows = list(build_wds_dataset("r", preprocess, data_dir=str(OUT / "wds_retrieval")))
    loader = [(torch.stack([x for x, _ in rows[i:i + 8]]), [y for _, y in rows[i:i + 8]])
              for i in range(0, len(rows), 8)]
    result["wds_retrieval"] = retrieval.evaluate(model, loader, tokenizer, "cpu", amp=False,
                                                 recall_k_list=[1, 5])
    (OUT / "wds.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    on_random_features()
    on_wds()
