"""Writes tests/golden/parquet with pyarrow: a list of products with many kinds of columns, and metadata as clip-retrieval writes it.

    python3 -m venv VENV && VENV/bin/pip install pyarrow && VENV/bin/python tools/goldens/make_parquet.py
"""
import datetime
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests/golden/parquet"
OUT.mkdir(parents=True, exist_ok=True)

columns = {
    "image": pa.array(["0.png", "1.png", "2.png"]),
    "title": pa.array(["first", "zweite ä", None]),
    "price": pa.array([1.5, None, 3.25], pa.float32()),
    "count": pa.array([1, 2**40, None], pa.int64()),
    "small": pa.array([1, 255, None], pa.uint8()),
    "new": pa.array([True, False, None]),
    "tags": pa.array([["red", "round"], [], None]),
    "colour": pa.array(["red", "blue", None]).dictionary_encode(),
    "size": pa.array([{"w": 3, "h": 4}, {"w": None, "h": 5}, None]),
    "day": pa.array([datetime.date(2020, 2, 29), None, None]),
}
pq.write_table(pa.table(columns), OUT / "products.parquet", compression="zstd")
expected = []
for row in pa.table(columns).to_pylist():
    fields = {k: v for k, v in row.items() if v is not None and k not in ("image", "title")}
    if "day" in fields:
        fields["day"] = str(fields["day"])
    expected.append(fields)
(OUT / "products.json").write_text(json.dumps(expected, indent=1) + "\n")

metadata = pa.table({"image_path": ["/x/0.jpg", "/x/1.jpg", "/x/2.jpg"], "caption": ["c0", "c1", "c2"],
                     "width": [10, 11, 12]})
pq.write_table(metadata, OUT / "metadata_0.parquet", compression="snappy")
