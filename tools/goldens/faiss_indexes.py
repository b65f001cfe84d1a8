#!/usr/bin/env python3
"""Writes tests/golden/faiss/*.index with faiss-cpu: six unit vectors of four numbers in every kind that is read.

The vectors are sin(1 + 4 i + j) over their length, so that tests can make them too. Needs numpy and
faiss-cpu (1.15.1 wrote the files that are here).
"""
import pathlib

import faiss
import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/golden/faiss"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rows = np.sin(1 + np.arange(24, dtype=np.float64)).reshape(6, 4)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    ids = np.arange(10, 16)
    indexes = {"flat_ip": faiss.IndexFlatIP(4), "flat_l2": faiss.IndexFlatL2(4),
               "id_map": faiss.IndexIDMap(faiss.IndexFlatIP(4)),
               "id_map2": faiss.IndexIDMap2(faiss.IndexFlatL2(4)),
               "hnsw": faiss.IndexHNSWFlat(4, 4, faiss.METRIC_INNER_PRODUCT),
               "id_map_hnsw": faiss.IndexIDMap(faiss.IndexHNSWFlat(4, 4)),
               "ivf": None}
    for name, index in indexes.items():
        if name == "ivf":  # a kind that is not read
            index = faiss.IndexIVFFlat(faiss.IndexFlatIP(4), 4, 1)
            index.train(rows)
        if name.startswith("id_map"):
            index.add_with_ids(rows, ids)
        else:
            index.add(rows)
        faiss.write_index(index, str(OUT / f"{name}.index"))


if __name__ == "__main__":
    main()
