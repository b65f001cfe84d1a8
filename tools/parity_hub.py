#!/usr/bin/env python3
"""Compares the Hub's cache with Python's: what either client fetched, the other finds, byte for byte.

    pip install huggingface_hub
    tools/parity_hub.py [build/openclip]

Needs no network: both talk to tests/e2e/hub_server.py.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from hub_server import COMMIT, Hub, Repo  # noqa: E402

TINY = ROOT / "tests/golden/tiny_model"
BINARY = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/openclip").resolve())
FILES = {name: (TINY / name).read_bytes() for name in
         ("open_clip_config.json", "tokenizer.json", "open_clip_model.safetensors")}
PYTHON = """
import sys, huggingface_hub
print(huggingface_hub.__version__, file=sys.stderr)
for name in sys.argv[2:]:
    print(huggingface_hub.hf_hub_download("org/tiny", name, revision=sys.argv[1]))
"""


def environment(hub, cache, offline):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return dict(kept, HF_ENDPOINT=hub.url, HF_HUB_CACHE=str(cache), HF_HOME=str(cache),
                HF_HUB_OFFLINE="1" if offline else "0", HF_HUB_DISABLE_PROGRESS_BARS="1",
                HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1")


def with_python(hub, cache, revision="main", offline=False):
    return subprocess.run([sys.executable, "-c", PYTHON, revision, *FILES], check=True, text=True,
                          stdout=subprocess.PIPE,
                          env=environment(hub, cache, offline)).stdout.splitlines()


def with_openclip(hub, cache, *command, offline=False):
    return subprocess.run([BINARY, *command], check=True, text=True, stdout=subprocess.PIPE,
                          env=environment(hub, cache, offline)).stdout


def listing(cache):
    """Files and links of the repository's folder: what both must agree on."""
    root = cache / "models--org--tiny"
    return {str(p.relative_to(root)): os.readlink(p) if p.is_symlink() else p.read_bytes()
            for p in root.rglob("*") if p.is_symlink() or p.is_file()
            if p.relative_to(root).parts[0] in ("blobs", "refs", "snapshots")}


def main():
    ours = ("models", "pull", "hf-hub:org/tiny")
    use = ("classify", str(ROOT / "samples/cat.png"), "--labels", "x,y", "--model")
    with Hub() as hub, tempfile.TemporaryDirectory() as folder:
        repo = hub.repos["org/tiny"] = Repo(FILES, lfs=["open_clip_model.safetensors"])
        repo.revisions["v1"] = COMMIT
        a, b = pathlib.Path(folder, "openclip"), pathlib.Path(folder, "python")
        # Ours first, then Python without a network.
        with_openclip(hub, a, *ours)
        with_openclip(hub, a, *ours, "--revision", "v1")
        for revision in ("main", "v1", COMMIT):
            for path in with_python(hub, a, revision, offline=True):
                assert pathlib.Path(path).read_bytes() == FILES[pathlib.Path(path).name], path
        # Python first, then ours without a network, and online without fetching anything.
        with_python(hub, b)
        with_python(hub, b, "v1")
        with_openclip(hub, b, *use, "hf-hub:org/tiny", offline=True)
        with_openclip(hub, b, *use, "hf-hub:org/tiny@v1", offline=True)
        before = len(hub.seen("GET", "/resolve/"))
        with_openclip(hub, b, *ours)
        assert len(hub.seen("GET", "/resolve/")) == before, "fetched again what Python had fetched"
        before = len(hub.seen("GET", "/resolve/"))
        with_python(hub, a)
        assert len(hub.seen("GET", "/resolve/")) == before, "Python fetched again what was there"
        theirs, mine = listing(b), listing(a)
        assert mine == theirs, sorted(set(mine.items()) ^ set(theirs.items()))
    print(f"{len(mine)} files and links of the cache agree")


if __name__ == "__main__":
    main()
