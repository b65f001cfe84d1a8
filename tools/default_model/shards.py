"""Packs manifest.jsonl into webdataset tars: KEY.png (RGBA) and KEY.json a sample, in a fixed shuffled order."""

import argparse
import io
import json
import os
import tarfile

from common import seeded, work


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))  # mtime, owner and mode keep their constant defaults


def write(samples, folder, prefix, per_shard=2000):
    """`samples` yields (picture bytes, metadata)."""
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        if old.startswith(prefix + "-"):
            os.remove(os.path.join(folder, old))
    tar, count = None, 0
    for picture, meta in samples:
        if count % per_shard == 0:
            if tar:
                tar.close()
            tar = tarfile.open(os.path.join(folder, f"{prefix}-{count // per_shard:04d}.tar"), "w", format=tarfile.USTAR_FORMAT)
        add(tar, f"{prefix}{count:06d}.png", picture)
        add(tar, f"{prefix}{count:06d}.json", json.dumps(meta, ensure_ascii=False, sort_keys=True).encode())
        count += 1
    if tar:
        tar.close()
    return count


def samples(manifest):
    for row in manifest:
        with open(work(row["path"]), "rb") as f:
            picture = f.read()
        yield picture, {
            "en": row["en"], "zh": row["zh"], "named": row["named"], "concept": row["class"], "flip": row["flip"],
            "recolour": row.get("recolour", True), "source": row["source"], "variant": row["variant"],
            "kind": row["kind"], "id": row["id"],
        }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=work("shards", "train"))
    parser.add_argument("--manifest", default=work("manifest.jsonl"))
    arguments = parser.parse_args()
    manifest = [json.loads(line) for line in open(arguments.manifest, encoding="utf-8")]
    for prefix, chosen in (
        ("plain", [row for row in manifest if row["variant"] == "plain"]),
        ("restyled", [row for row in manifest if row["variant"] != "plain" and row["source"] != "sweethome3d_views"]),
        ("views", [row for row in manifest if row["source"] == "sweethome3d_views"]),
    ):
        chosen.sort(key=lambda row: row["id"])
        seeded("shards", prefix).shuffle(chosen)
        print(prefix, write(samples(chosen), arguments.out, prefix))


if __name__ == "__main__":
    main()
