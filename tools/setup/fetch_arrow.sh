#!/usr/bin/env bash
# Fetches Apache Arrow for the Parquet module and prints its folder (with include/ and libarrow.so.*).
#
# It comes from the PyPI package pyarrow; Debian 12 has no Arrow. Exit code 3: the package could not be
# had (no network); nothing is left half done.
set -euo pipefail

version=26.0.1
cache=${OPENCLIP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openclip}
target=$cache/arrow
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
  echo "$target/pyarrow"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/arrow.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
pip=(python3 -m pip)
"${pip[@]}" --version >/dev/null 2>&1 || {
  python3 -m venv "$work/venv" >&2
  pip=("$work/venv/bin/python" -m pip)
}
echo "Fetching Apache Arrow (about 55 MB, once) ..." >&2
"${pip[@]}" download --quiet --disable-pip-version-check --no-deps --no-cache-dir --only-binary=:all: \
  --python-version 3.11 --platform manylinux_2_28_x86_64 --dest "$work/wheels" "pyarrow==$version" >&2 || {
  echo "openclip: Apache Arrow could not be fetched from PyPI; Parquet is left out" >&2
  exit 3
}
python3 - "$work/wheels" "$work/arrow" <<'PYTHON'
import glob, re, sys, zipfile
wheels, target = sys.argv[1:]
[wheel] = glob.glob(wheels + "/*.whl")
wanted = re.compile(r"pyarrow/include/(arrow|parquet)/|pyarrow/lib(arrow|parquet)\.so\.|[^/]+\.dist-info/")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if wanted.match(name) and "/python/" not in name and not name.endswith("/"):
            archive.extract(name, target)
PYTHON
echo "$version" >"$work/arrow/VERSION"
rm -rf "$target"
mv "$work/arrow" "$target"
echo "$target/pyarrow"
