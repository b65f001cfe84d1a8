#!/usr/bin/env bash
# Fetches libtorch for openclip-train and prints its folder (with include/ and lib/).
#
# It comes from the PyPI package torch: headers, libtorch_cpu and libc10, and the two CUDA libraries
# that this build needs to load, also where there is no GPU. The 4 GB of the wheel's other CUDA
# libraries are not fetched; a torch that is installed for Python is used through Torch_DIR instead.
# Exit code 3: the packages could not be had (no network); nothing is left half done.
set -euo pipefail

torch_version=2.9.1
packages=(torch==$torch_version nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90)

cache=${OPENCLIP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openclip}
target=$cache/libtorch
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$torch_version" ]; then
  echo "$target/torch"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/libtorch.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT

pip=(python3 -m pip)
"${pip[@]}" --version >/dev/null 2>&1 || {
  python3 -m venv "$work/venv" >&2
  pip=("$work/venv/bin/python" -m pip)
}
echo "Fetching libtorch $torch_version (about 900 MB, once) ..." >&2
"${pip[@]}" download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
  --only-binary=:all: --implementation cp --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
  --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  --dest "$work/wheels" "${packages[@]}" >&2 || {
  echo "openclip: libtorch could not be fetched from PyPI; for openclip-train give CMake" \
    "-DOPENCLIP_LIBTORCH=FOLDER of a libtorch >= 2.6" >&2
  exit 3
}

python3 - "$work/wheels" "$work/libtorch" <<'PYTHON'
import os, re, sys, zipfile
wheels, target = sys.argv[1:]
wanted = re.compile(r"torch/include/|torch/lib/(libtorch|libtorch_cpu|libc10|libgomp|libshm)[.-]|"
                    r"nvidia/[^/]+/lib/lib(cudart|cupti)\.|[^/]+\.dist-info/(licenses/|LICENSE|NOTICE)")
for wheel in sorted(os.listdir(wheels)):
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        for name in archive.namelist():
            if wanted.match(name) and not name.endswith("/"):
                archive.extract(name, target)
PYTHON
echo "$torch_version" >"$work/libtorch/VERSION"
rm -rf "$target"
mv "$work/libtorch" "$target"
echo "$target/torch"
