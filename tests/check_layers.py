#!/usr/bin/env python3
"""Compares the #includes of src/ and train/ with the rank table of ARCHITECTURE.md.

A file includes its own folder and folders of a lower rank, nothing else. train/ may use the folders
that TRAIN names. The table has rows `| rank | folder | …` with the folders in backticks.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\|\s*(\d+)\s*\|([^|]*)\|")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
# Of models/ only what is free of tensors.
TRAIN = ("base/", "kernels/", "io/", "text/", "image/", "models/config/", "models/registry.h", "openclip/")
CURL = re.compile(r'^\s*#\s*include\s+[<"]curl/')
DNNL = re.compile(r'^\s*#\s*include\s+[<"](oneapi/)?dnnl')


def ranks():
    table = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        if row := ROW.match(line):
            for folder in re.findall(r"`src/(\w+)`", row.group(2)):
                table[folder] = int(row.group(1))
    return table


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        yield number, line, (m.group(1) if (m := INCLUDE.match(line)) else None)


def check_source(path, table):
    folder = path.relative_to(ROOT / "src").parts[0]
    for number, line, target in includes(path):
        place = f"{path.relative_to(ROOT)}:{number}"
        if DNNL.match(line) and "kernels/onednn" not in str(path):
            yield f"{place}: only src/kernels/onednn includes dnnl"
        if CURL.match(line) and path.name != "curl_library.h":
            yield f"{place}: only src/io/http/curl_library.h includes curl"
        if target is None:
            continue
        other = target.split("/")[0]
        if "/" not in target or other not in table:
            if not (ROOT / "include" / target).exists():
                yield f'{place}: "{target}" is not a path from src/ to a folder with a rank'
        elif other != folder and table[other] >= table[folder]:
            yield (f"{place}: {folder} (rank {table[folder]}) includes {target} "
                   f"(rank {table[other]})")


def check_train(path):
    for number, _, target in includes(path):
        if target is None or (path.parent / target).exists() or (ROOT / target).exists():
            continue
        if (ROOT / "train" / target).exists() or target.startswith(TRAIN):
            continue
        yield f"{path.relative_to(ROOT)}:{number}: train/ may not include {target}"


def files(folder):
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".h", ".cc", ".cpp", ".inc"))


def main():
    table = ranks()
    if not table:
        sys.exit("ARCHITECTURE.md: no rank table found")
    problems = []
    for path in files("src"):
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder in table:
            problems += check_source(path, table)
        else:
            problems.append(f"src/{folder}: has no rank in ARCHITECTURE.md")
    for path in files("train"):
        problems += check_train(path)
    main_lines = len((ROOT / "src/cli/main.cc").read_text().splitlines())
    if main_lines >= 60:
        problems.append(f"src/cli/main.cc has {main_lines} lines; fewer than 60 keep it a main()")
    print(*problems, sep="\n")
    print(f"{len(files('src')) + len(files('train'))} files, {len(table)} ranked folders, "
          f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
