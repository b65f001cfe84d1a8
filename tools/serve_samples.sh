#!/usr/bin/env bash
# What `make serve` does: an index of samples/, and the server with it and its web page.
#   tools/serve_samples.sh build/openclip [options of serve…]
set -euo pipefail
openclip=$1
shift
index=$(dirname "$openclip")/samples.index
"$openclip" index samples --out "$index" --quiet
exec "$openclip" serve --index "$index" "$@"
