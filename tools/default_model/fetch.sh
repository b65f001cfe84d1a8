#!/bin/sh
# Downloads the Debian packages named in packages.lock and unpacks each into WORKDIR/root/PACKAGE.
# Nothing is installed and no root is needed. A package whose locked version has left the archive
# (security updates replace firefox-esr) is taken in its present version, with a warning; the one
# file that is used from it is then checked by its own digest in its extractor.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${WORKDIR:-build/default_model}
mkdir -p "$work/deb" "$work/root"
cd "$work"

fetch() { # name version digest
    if [ -e "root/$1/.done" ]; then return 0; fi
    rm -rf "deb/$1"
    mkdir -p "deb/$1"
    (cd "deb/$1" && { apt-get -q download "$1=$2" || apt-get -q download "$1"; }) >&2
    file=$(ls "deb/$1/"*.deb)
    if ! echo "$3  $file" | sha256sum --quiet -c - >&2; then
        case $file in
            *_"$(echo "$2" | sed 's/:/%3a/')"_*) echo "fetch.sh: $file has the wrong SHA-256" >&2; return 1 ;;
            *) echo "fetch.sh: $1 $2 is gone, using $(basename "$file") unchecked" >&2 ;;
        esac
    fi
    rm -rf "root/$1"
    mkdir -p "root/$1"
    dpkg -x "$file" "root/$1"
    rm -rf "deb/$1"
    touch "root/$1/.done"
}

while read -r name version digest; do
    case $name in '' | '#'*) continue ;; esac
    fetch "$name" "$version" "$digest"
done < "${1:-$here/packages.lock}"
