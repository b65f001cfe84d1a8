#!/usr/bin/env bash
# Configures BUILD with the tests, and with openclip-train where libtorch can be had.
#   tools/setup/configure_tests.sh BUILD [--need-train]
set -euo pipefail
build=$1
train=ON
if ! torch=$(tools/setup/fetch.sh libtorch); then
  [ "${2:-}" = --need-train ] && exit 1
  echo "openclip: libtorch could not be fetched; openclip-train and its tests are LEFT OUT" >&2
  train=OFF
fi
if ! arrow=$(tools/setup/fetch.sh arrow); then
  echo "openclip: Apache Arrow could not be fetched; Parquet and its tests are LEFT OUT" >&2
fi
exec cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DOPENCLIP_BUILD_TESTS=ON \
  -DOPENCLIP_BUILD_TRAIN=$train ${torch:+-DOPENCLIP_LIBTORCH="$torch"} \
  ${arrow:+-DOPENCLIP_ARROW="$arrow"}
