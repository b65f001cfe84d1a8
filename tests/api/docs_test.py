"""Checks docs/api.md: blocks after <!-- file: PATH --> are that file; blocks after <!-- test --> are
compiled against the installed library, or run in the Python package's environment.

The documents name open_clip's model and picture, which are not on every machine: SUBSTITUTES puts
the tiny model of tests/golden in their place.
"""
import pathlib
import re
import sys
import tempfile

from prefix import CC, CXX, PYTHON, ROOT, TINY, library_folder, pkg_config, run

PAGE = ROOT / "docs/api.md"
BLOCK = re.compile(r"<!-- (test|file: (\S+)) -->\s*```(\w+)\n(.*?)```", re.DOTALL)
SUBSTITUTES = {
    "'ViT-B-32', pretrained='laion2b_s34b_b79k'": f"'local-dir:{TINY}'",
    '"ViT-B-32", {.pretrained = "laion2b_s34b_b79k"}': f'"local-dir:{TINY}"',
    "'ViT-B-32'": f"'local-dir:{TINY}'",
    '"ViT-B-32"': f'"local-dir:{TINY}"',
    "docs/CLIP.png": "samples/cat.png",
}


def check(language, code, folder):
    for written, used in SUBSTITUTES.items():
        code = code.replace(written, used)
    source = folder / f"snippet.{language}"
    source.write_text(code)
    if language == "python":
        run(PYTHON, source)
        return
    compiler = {"c": [CC, "-std=c11"], "cpp": [CXX, "-std=c++20"]}[language]
    program = folder / "snippet"
    run(*compiler, "-Wall", "-Wextra", "-Werror", source, "-o", program,
        *pkg_config("--cflags", "--libs"), f"-Wl,-rpath,{library_folder()}")
    run(program)


def main():
    if not (PYTHON.parent.parent / "requirements.sha256").exists():  # left by python_test.py
        print("openclip: docs/api.md WAS NOT CHECKED: the Python package could not be built",
              file=sys.stderr)
        sys.exit(77)
    blocks = failed = 0
    with tempfile.TemporaryDirectory(prefix="openclip-docs-") as folder:
        for kind, path, language, code in BLOCK.findall(PAGE.read_text()):
            blocks += 1
            try:
                if kind != "test" and (ROOT / path).read_text() != code:
                    raise AssertionError(f"the block is not {path}")
                if kind == "test":
                    check(language, code, pathlib.Path(folder))
            except AssertionError as error:
                failed += 1
                print(f"{PAGE.name}: {error}\nin the {language} block\n{code}")
    print(f"{blocks} blocks, {failed} failed")
    sys.exit(1 if failed or blocks < 5 else 0)


if __name__ == "__main__":
    main()
