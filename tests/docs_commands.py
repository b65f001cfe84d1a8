#!/usr/bin/env python3
"""Runs the commands of README.md that are marked as runnable.

A ```sh block that follows the comment <!-- test --> is given to `bash -e` in the root of the
repository. `build/openclip` stands for the program under test, OPENCLIP_BINARY. Exit code 77 (skipped)
where there is no shipped model yet to run them with.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- test -->\s*```sh\n(.*?)```", re.DOTALL)


def main():
    binary = os.environ.get("OPENCLIP_BINARY", str(ROOT / "build/openclip"))
    if not list((ROOT / "models/default").glob("*.safetensors")):
        print("models/default is not there; skipped")
        sys.exit(77)
    environment = dict(os.environ)
    environment.setdefault("OPENCLIP_DEFAULT_MODEL", str(ROOT / "models/default"))
    (ROOT / "build").mkdir(exist_ok=True)  # outputs of the examples go there
    failed = blocks = 0
    for page in ("README.md", "README.zh-CN.md"):
        path = ROOT / page
        if not path.exists():
            continue
        for block in BLOCK.findall(path.read_text()):
            blocks += 1
            command = re.sub(r"(?m)^build/openclip(?= |$)", binary, block)
            done = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=ROOT,
                                  env=environment, capture_output=True, text=True, timeout=240)
            if done.returncode != 0:
                failed += 1
                print(f"{page}: exit code {done.returncode} from\n{block}{done.stderr}")
    print(f"{blocks} blocks, {failed} failed")
    sys.exit(1 if failed or blocks == 0 else 0)


if __name__ == "__main__":
    main()
