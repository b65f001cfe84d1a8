#!/bin/sh
# From Debian packages to training shards and evaluation lists, all under WORKDIR (default build/default_model).
#   build.sh [--leave-out SOURCE]    with --leave-out, shards without that artist go to shards/without_SOURCE
# Needs Debian's python3-pil, python3-numpy, python3-fonttools, python3-cairosvg, and for the tokenizer PyPI's `tokenizers`
# in the Python that TOKENIZER_PYTHON names. Finished steps are not repeated; delete their output to do them again.
set -eu
cd "$(dirname "$0")"
WORKDIR=$(realpath -m "${WORKDIR:-../../build/default_model}")
export WORKDIR
python=${PYTHON:-/usr/bin/python3}
leave_out=
if [ "${1:-}" = --leave-out ]; then leave_out=${2:?name a source}; fi

./fetch.sh
for source in noto emojione twemoji symbola openclipart sweethome3d sweethome3d_views tango flags; do
    if [ ! -e "$WORKDIR/rows/.$source.done" ]; then
        "$python" -m "extract.$source"
        touch "$WORKDIR/rows/.$source.done"
    fi
done

# The lists name trained classes, and the classes leave out copies of listed pictures: hence merge, lists, merge.
"$python" merge.py
for list in emoji_lists drawings photos flags; do "$python" -m "evalsets.$list"; done
"$python" merge.py
if [ ! -e "$WORKDIR/tokenizer/tokenizer.json" ]; then "${TOKENIZER_PYTHON:-$python}" tokenizer.py; fi
"$python" shards.py
"$python" generate.py

if [ -n "$leave_out" ]; then
    out=$WORKDIR/without_$leave_out
    "$python" merge.py --leave-out "$leave_out" --out "$out"
    "$python" shards.py --manifest "$out/manifest.jsonl" --out "$WORKDIR/shards/without_$leave_out"
    # Of no artist; their concepts are numbered behind the classes of all artists.
    ln -sf ../train/generated-*.tar "$WORKDIR/shards/without_$leave_out/"
fi
