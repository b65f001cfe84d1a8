#!/usr/bin/env bash
# Installs the Debian packages that a set of goals needs; asks for root only when one is missing.
#   tools/setup/packages.sh build [test]
set -euo pipefail

declare -A packages=(
  [build]="g++ cmake ninja-build pkg-config python3 python3-venv
           libdnnl-dev libhwy-dev libfmt-dev nlohmann-json3-dev libcli11-dev
           libjpeg62-turbo-dev libpng-dev libwebp-dev libgif-dev
           libarchive-dev zlib1g-dev libutf8proc-dev libxxhash-dev
           libcurl4-openssl-dev ca-certificates nettle-dev libsqlite3-dev libpq-dev libboost1.81-dev"
  [test]="libgtest-dev libgmock-dev python3-dev binutils libgloo-dev
          chromium chromium-driver python3-selenium"
)

missing=()
for goal in "$@"; do
  for package in ${packages[$goal]}; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing Debian packages: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    { echo "openclip: packages are missing and neither root nor sudo is here; run as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
install() { "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
install 2>/dev/null || { "${as_root[@]}" apt-get update -qq; install; }
