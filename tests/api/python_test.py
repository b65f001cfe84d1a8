"""The Python package: built into a virtual environment against the installed library, then tested
there. Exit code 77 (skipped) only where its build tools cannot be had from PyPI."""
import hashlib
import subprocess
import sys
import unittest

from prefix import (BUILD, GOLDEN, PYTHON, ROOT, TINY, TOLERANCE, environment, library_folder,
                    probabilities, run)

VENV = PYTHON.parent.parent
REQUIREMENTS = ROOT / "bindings/python/requirements-test.txt"


def prepare():
    """Makes the virtual environment, once for each list of requirements; None where that fails."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == key:
        return True
    for command in ([sys.executable, "-m", "venv", "--clear", VENV],
                    [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                     "--only-binary", ":all:", "-r", REQUIREMENTS]):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            return False
    stamp.write_text(key)
    return True


def install():
    # No isolation: the tools are in the environment, and nothing is fetched a second time.
    settings = {"build-dir": BUILD / "python-build", "cmake.define.OPENCLIP_INSTALLED": "ON",
                "cmake.define.openclip_DIR": library_folder() / "cmake/openclip"}
    run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--no-build-isolation", "--force-reinstall",
        *(f"--config-settings={key}={value}" for key, value in settings.items()), ROOT)


class PythonTest(unittest.TestCase):
    def test_the_packages_own_tests(self):
        done = subprocess.run([PYTHON, ROOT / "bindings/python/tests/test_openclip.py"], cwd=BUILD,
                              env=environment(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_example(self):
        for example in GOLDEN["examples"]:
            out = run(PYTHON, ROOT / "examples/python/usage.py", f"local-dir:{TINY}", "",
                      example["image"], *GOLDEN["labels"])
            for x, y in zip(probabilities(out), example["text_probs"], strict=True):
                self.assertAlmostEqual(x, y, delta=TOLERANCE)


if __name__ == "__main__":
    if not prepare():
        print("openclip: THE PYTHON PACKAGE WAS NOT TESTED: its build tools "
              f"({REQUIREMENTS.name}) could not be installed from PyPI", file=sys.stderr)
        sys.exit(77)
    install()
    unittest.main()
