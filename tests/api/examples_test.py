"""The installed library from outside: examples/ built with find_package and with pkg-config print
what Python's open_clip prints (tools/goldens/usage_example.py) and what `openclip classify` says."""
import json
import math
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from prefix import (BUILD, CC, CXX, GOLDEN, PREFIX, ROOT, TINY, TOLERANCE, classify, environment,
                    library_folder, model_with_scale_100, pkg_config, probabilities, run)

EXAMPLES = BUILD / "test-examples"


class ExamplesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("cmake", "-S", ROOT / "examples", "-B", EXAMPLES, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={PREFIX}", f"-DCMAKE_C_COMPILER={CC}",
            f"-DCMAKE_CXX_COMPILER={CXX}")
        run("cmake", "--build", EXAMPLES)
        cls.programs = [EXAMPLES / "usage_cpp", EXAMPLES / "usage_c", EXAMPLES / "usage_cpp_static"]

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="openclip-api-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def close(self, found, expected, tolerance=TOLERANCE):
        self.assertEqual(len(found), len(expected))
        for x, y in zip(found, expected):
            self.assertAlmostEqual(x, y, delta=tolerance)

    def test_as_python_open_clip(self):
        for program in self.programs:
            for example in GOLDEN["examples"]:
                out = run(program, f"local-dir:{TINY}", "", example["image"], *GOLDEN["labels"])
                self.close(probabilities(out), example["text_probs"])

    def test_as_the_program(self):
        model = model_with_scale_100(self.dir / "model")
        expected = classify("samples/cat.png", "--labels", "a diagram,a dog,a cat",
                            "--model", model)
        for program in self.programs:
            out = run(program, model, "", "samples/cat.png")
            self.close(probabilities(out), [expected[x] for x in GOLDEN["labels"]], 1e-5)

    def test_the_installed_default_model(self):
        labels = ["cat", "fish", "car"]
        program = PREFIX / "bin/openclip"
        scores = classify("samples/cat.png", "--labels", ",".join(labels), binary=program)
        # The example multiplies with 100, the program with the model's own factor.
        header = (ROOT / "models/default/open_clip_model.safetensors").read_bytes()
        size = int.from_bytes(header[:8], "little")
        entry = json.loads(header[8:8 + size])["logit_scale"]
        begin, end = entry["data_offsets"]
        scale = math.exp(number(entry["dtype"], header[8 + size + begin:8 + size + end]))
        powers = [math.exp(100 / scale * math.log(scores[x])) for x in labels]
        for name in ("usage_cpp", "usage_c"):  # the static one does not lie beside the model
            out = run(EXAMPLES / name, "", "", "samples/cat.png", *labels)
            self.close(probabilities(out), [p / sum(powers) for p in powers])

    def test_pkg_config(self):
        program = self.dir / "usage"
        run(CC, "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic",
            ROOT / "examples/c/usage.c", "-o", program, *pkg_config("--cflags", "--libs"),
            f"-Wl,-rpath,{library_folder()}")
        [example, *_] = GOLDEN["examples"]
        out = run(program, f"local-dir:{TINY}", "", example["image"], *GOLDEN["labels"])
        self.close(probabilities(out), example["text_probs"])

    def test_static_by_pkg_config(self):
        """Libs.private names all that libopenclip.a needs."""
        program = self.dir / "usage"
        libraries = pkg_config("--static", "--libs")
        archive = ["-l:libopenclip.a" if x == "-lopenclip" else x for x in libraries]
        run(CC, "-std=c11", ROOT / "examples/c/usage.c", "-o", program, *pkg_config("--cflags"),
            *archive)
        self.assertNotIn("libopenclip", run("ldd", program))
        self.assertIn("Label probs", run(program, f"local-dir:{TINY}", "", "samples/cat.png"))

    def test_each_header_stands_alone(self):
        headers = sorted((PREFIX / "include/openclip").glob("*.h"))
        self.assertGreater(len(headers), 8)
        plain_c = {"export.h", "version.h", "openclip.h"}
        for header in headers:
            source = self.dir / "header.c"
            source.write_text(f"#include <openclip/{header.name}>\nint main(void) {{ return 0; }}\n")
            flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only",
                     f"-I{PREFIX}/include"]
            if header.name in plain_c:
                run(CC, "-std=c11", *flags, source)
            run(CXX, "-std=c++20", "-x", "c++", *flags, source)

    def test_only_the_api_is_exported(self):
        symbols = run("nm", "-DC", "--defined-only", library_folder() / "libopenclip.so")
        names = [line.split(maxsplit=2)[2] for line in symbols.splitlines()]
        self.assertGreater(len(names), 50)
        for name in names:
            self.assertRegex(name, r"^(openclip_|openclip::v0::|(typeinfo|typeinfo name|vtable) for "
                                   r"openclip::v0::Error)")

    def test_errors_end_the_example_with_one_line(self):
        for program in self.programs:
            done = subprocess.run([program, "ViT-B-23", "", "samples/cat.png"], cwd=ROOT,
                                  env=environment(), capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^usage: .*ViT-B-32.*\n$")


def number(dtype, data):
    import struct
    if dtype == "BF16":
        return struct.unpack("<f", b"\0\0" + data)[0]
    return struct.unpack({"F16": "<e", "F32": "<f"}[dtype], data)[0]


if __name__ == "__main__":
    unittest.main()
