"""Sweet Home 3D's models, drawn from several sides: the nearest thing to photographs in the training pictures."""

import math
import sys

import numpy as np

from common import Writer, seeded
from extract.sweethome3d import LICENCE, pieces, row
from solids import sample, view

VIEWS = 6


def rotation_of(item):
    numbers = [float(v) for v in item.get("modelRotation", "").split()]
    return np.array(numbers).reshape(3, 3) if len(numbers) == 9 else np.eye(3)


def main():
    failed = 0
    with Writer("sweethome3d_views", "Sweet Home 3D contributors", "CC-BY-3.0", resume=True) as out:
        for book, number, archive, item in pieces():
            key = f"{book}.{number}"
            if f"{key}.view{VIEWS - 1}" in out.done:
                continue
            path = item.get("model", "").lstrip("/")
            random = seeded("views", key)
            try:
                solid = sample(archive, path, rotation_of(item), np.random.default_rng(random.getrandbits(32)))
            except (KeyError, ValueError, IndexError):
                solid = None
            if solid is None:
                failed += 1
                continue
            for i in range(VIEWS):
                yaw = math.radians(-65 + 130 * i / (VIEWS - 1) + random.uniform(-12, 12))
                image = view(*solid, yaw, math.radians(random.uniform(5, 45)))
                if f"{key}.view{i}" not in out.done:
                    out.add(f"{key}.view{i}", image, variant=f"view{i}", **row(item), artist=item.get("creator", book), licence=LICENCE.get(book, "CC-BY-3.0"))
    print(f"sweethome3d_views: {failed} models could not be read", file=sys.stderr)


if __name__ == "__main__":
    main()
