"""Low precisions and `quantize`: how near their features are to those of f32."""
import json
import math
import os
import pathlib
import unittest

from support import ROOT, ProgramTest, read_npy, read_safetensors, write_safetensors

PICTURES = sorted((ROOT / "samples").glob("*.png"))
TEXTS = ["a cat", "the red dog", "do", "a photo of a red cat at a dog", "x"]
WEIGHTS = "open_clip_model.safetensors"

# Activations have 8 bits with VNNI and 7 without: a step twice as wide, so a loss of cosine four times as large.
VNNI = "avx512_vnni" in pathlib.Path("/proc/cpuinfo").read_text() and not os.environ.get("OPENCLIP_FORCE_ISA")
LOSS = 0.002 if VNNI else 0.008


def cosine(x, y):
    return sum(map(lambda a, b: a * b, x, y)) / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))


class QuantizeTest(ProgramTest):
    def features(self, *arguments):
        texts = [x for text in TEXTS for x in ("--text", text)]
        self.succeed("embed", *PICTURES, *texts, "--out", "f.npy", "--quiet", *arguments)
        shape, values = read_npy(self.dir / "f.npy")
        return [values[i:i + shape[1]] for i in range(0, len(values), shape[1])]

    def least_cosine(self, one, other):
        return min(map(cosine, one, other))

    def test_precisions_are_near_f32(self):
        default = self.features()
        self.assertEqual(self.features("--precision", "f32"), default)
        # Two blocks of random numbers; bfloat16 has 8 bits, bytes have 7 or 8 without a scale of
        # each number.
        self.assertGreater(self.least_cosine(self.features("--precision", "bf16"), default), 0.9999)
        self.assertGreater(self.least_cosine(self.features("--precision", "int8"), default), 0.998)

    def test_the_shipped_model_is_near_f32(self):
        self.env["OPENCLIP_DEFAULT_MODEL"] = str(ROOT / "models/default")
        default = self.features()
        self.assertGreater(self.least_cosine(self.features("--precision", "bf16"), default), 0.999)
        int8 = self.features("--precision", "int8")
        self.assertGreater(self.least_cosine(int8, default), 0.9998)
        self.assertNotEqual(int8[:len(PICTURES)], default[:len(PICTURES)])
        # The texts beside a ResNet stay f32, and nothing of it is stored as bytes.
        self.assertEqual(int8[len(PICTURES):], default[len(PICTURES):])
        self.refuse(1, "quantize", "--out", "q", says="--precision int8")

    def test_runs_batches_and_threads_give_the_same(self):
        for precision in ("f32", "bf16", "int8"):
            together = self.features("--precision", precision, "--threads", "2")
            self.assertEqual(self.features("--precision", precision, "--threads", "2"), together)
            alone = self.features("--precision", precision, "--threads", "1")
            for picture in PICTURES[:3]:
                self.succeed("embed", picture, "--out", "one.npy", "--precision", precision)
                alone.append(read_npy(self.dir / "one.npy")[1])
            for one, other in zip(alone, together + together[:3]):
                self.assertLess(max(abs(a - b) for a, b in zip(one, other)), 1e-6)

    def test_towers_of_other_kinds(self):
        for name in ("eva01", "eva02", "pe_core", "mobileclip_s0", "mobileclip_s3", "mobileclip_b", "siglip",
                     "convnext_linear"):
            with self.subTest(name):
                golden = ROOT / "tests/golden/towers" / name
                source = ("--model", f"{golden}.json", "--pretrained", f"{golden}.safetensors")
                self.succeed("quantize", *source, "--out", name)
                rows = []
                for model in (source, ("--model", name)):
                    self.succeed("embed", *PICTURES, *model, "--out", "f.npy", "--quiet")
                    shape, values = read_npy(self.dir / "f.npy")
                    rows.append([values[i:i + shape[1]] for i in range(0, len(values), shape[1])])
                self.assertGreater(self.least_cosine(*rows), 1 - LOSS)

    def test_quantized_folder(self):
        self.succeed("quantize", "--out", "q")
        config = json.loads((self.dir / "q/open_clip_config.json").read_text())
        self.assertEqual(config["quantization_cfg"], {"method": "int8"})
        header, _ = read_safetensors(self.dir / "q" / WEIGHTS)
        name = "visual.transformer.resblocks.0.mlp.c_fc.weight"
        self.assertEqual(header[name]["dtype"], "I8")
        self.assertEqual(header[name + "_scale"],
                         {"dtype": "F32", "shape": header[name]["shape"][:1],
                          "data_offsets": header[name + "_scale"]["data_offsets"]})
        # The folder gives what quantising at load gives, bit for bit.
        self.assertEqual(self.features("--model", "q"), self.features("--precision", "int8"))
        self.assertEqual(self.succeed_json("bench", "--model", "q", "--seconds", "0.05")["precision"],
                         "int8")
        f32 = self.features("--model", "q", "--precision", "f32")
        self.assertGreater(self.least_cosine(f32, self.features()), 0.999)

    def test_what_cannot_be_quantized(self):
        self.succeed("quantize", "--out", "q")
        self.refuse(1, "quantize", "--model", "q", "--out", "again", says="quantised already")
        self.refuse(1, "convert", "--model", "q", "--out", "again", says="quantised already")
        self.refuse(2, "quantize", "--out", "q", says="--force")
        self.refuse(2, "quantize", says="--out")
        self.succeed("quantize", "--out", "q", "--force")

    def test_damaged_folders(self):
        self.succeed("quantize", "--out", "q")
        header, data = read_safetensors(self.dir / "q" / WEIGHTS)
        name = "transformer.resblocks.0.mlp.c_fc.weight"
        damaged = dict(header)
        damaged[name + "_other"] = damaged.pop(name + "_scale")
        write_safetensors(self.dir / "q" / WEIGHTS, damaged, data)
        self.refuse(1, "embed", "--text", "x", "--out", "f.npy", "--model", "q", says=name)
        config = json.loads((self.dir / "q/open_clip_config.json").read_text())
        config["quantization_cfg"] = {"method": "int4"}
        self.file("q/open_clip_config.json", json.dumps(config))
        self.refuse(1, "embed", "--text", "x", "--out", "f.npy", "--model", "q", says="int4")


if __name__ == "__main__":
    unittest.main()
