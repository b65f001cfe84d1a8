"""What the tests of the public APIs share: the installed prefix, and the numbers to expect."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

from support import read_safetensors, write_safetensors  # noqa: E402

BUILD = pathlib.Path(os.environ.get("OPENCLIP_BUILD", ROOT / "build"))
PREFIX = pathlib.Path(os.environ.get("OPENCLIP_PREFIX", BUILD / "test-prefix"))
BINARY = os.environ.get("OPENCLIP_BINARY", str(BUILD / "openclip"))
CXX, CC = os.environ.get("CXX", "c++"), os.environ.get("CC", "cc")
PYTHON = BUILD / "python-venv/bin/python"
TINY = ROOT / "tests/golden/tiny_model"
GOLDEN = json.loads((ROOT / "tests/golden/usage_example.json").read_text())

# The features of unit vectors differ by 2e-5 at most (tests/e2e/parity_test.py), and a probability
# p changes by at most p (1 - p) times the change of the logits, which are 100 times a product.
TOLERANCE = 0.25 * 100 * 2 * 2e-5


def environment(**more):
    """The caller's environment without a default model of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENCLIP_")}
    return {**kept, **more}


def run(*command, **options):
    """stdout of a command that must succeed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=500,
                          **{"env": environment(), "cwd": ROOT, **options})
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def library_folder():
    [pc] = PREFIX.rglob("openclip.pc")
    return pc.parent.parent


def pkg_config(*arguments):
    return run("pkg-config", *arguments, "openclip",
               env=environment(PKG_CONFIG_PATH=str(library_folder() / "pkgconfig"))).split()


def probabilities(output):
    """The numbers that a usage example printed."""
    [line] = [x for x in output.splitlines() if x.startswith("Label probs:")]
    return [float(x) for x in re.findall(r"[-+0-9.e]+", line.split("[[")[1])]


def classify(*arguments, binary=BINARY):
    """{label: probability} of `openclip classify`."""
    [answer] = json.loads(run(binary, "classify", *arguments, "--json"))
    return {x["label"]: x["score"] for x in answer["labels"]}


def model_with_scale_100(folder):
    """A copy of the tiny model whose logit scale is 100, as that of trained CLIPs is."""
    shutil.copytree(TINY, folder)
    path = folder / "open_clip_model.safetensors"
    header, data = read_safetensors(path)
    packed = b""
    for name, entry in sorted(header.items(), key=lambda x: x[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        part = data[begin:end]
        if name == "logit_scale":
            entry["dtype"], part = "F32", bytes.fromhex("8e5d9340")  # ln 100
        entry["data_offsets"] = [len(packed), len(packed) + len(part)]
        packed += part
    write_safetensors(path, header, packed)
    return folder
