"""Model folders and weights that are damaged, lie or are not there."""
import json
import struct
import unittest

from support import TINY, ProgramTest, png, read_safetensors, write_safetensors

WEIGHTS = "open_clip_model.safetensors"


class BadWeightsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file("a.png", png(8, 8))
        self.model = self.copy_model()

    def bad(self, *says, code=1, model="model", more=()):
        return self.refuse(code, "classify", "a.png", "--labels", "x,y", "--model", model, *more,
                         says=says)

    def edit_header(self, change):
        header, data = read_safetensors(TINY / WEIGHTS)
        change(header)
        write_safetensors(self.model / WEIGHTS, header, data)

    def test_the_copy_works(self):
        self.succeed("classify", "a.png", "--labels", "x,y", "--model", "model")

    def test_truncated(self):
        data = (TINY / WEIGHTS).read_bytes()
        for size in (0, 7, 8, 100, len(data) // 2, len(data) - 1):
            (self.model / WEIGHTS).write_bytes(data[:size])
            self.bad(WEIGHTS)

    def test_header_longer_than_the_file(self):
        data = (TINY / WEIGHTS).read_bytes()
        for length in (len(data), 1 << 40, (1 << 64) - 1):
            (self.model / WEIGHTS).write_bytes(struct.pack("<Q", length) + data[8:])
            self.bad(WEIGHTS)

    def test_header_that_is_no_json(self):
        (self.model / WEIGHTS).write_bytes(struct.pack("<Q", 4) + b"{..}" + b"\0" * 64)
        self.bad(WEIGHTS)

    def test_overlapping_tensors(self):
        def overlap(header):
            header["ln_final.weight"]["data_offsets"] = header["ln_final.bias"]["data_offsets"]
        self.edit_header(overlap)
        self.bad(WEIGHTS)

    def test_tensor_beyond_the_file(self):
        def move(header):
            begin, end = header["visual.proj"]["data_offsets"]
            header["visual.proj"]["data_offsets"] = [begin + (1 << 40), end + (1 << 40)]
        self.edit_header(move)
        self.bad(WEIGHTS, "visual.proj")

    def test_size_that_overflows(self):
        self.edit_header(lambda header: header["visual.proj"].update(shape=[1 << 62, 1 << 62]))
        self.bad(WEIGHTS)

    def test_all_wrong_tensors_are_listed_at_once(self):
        def change(header):
            header["visual.proj"]["shape"].reverse()
            header["text_projection"]["shape"] = [8, 64]
            header["ln_final.wait"] = header.pop("ln_final.weight")
            header["visual.extra"] = header.pop("visual.class_embedding")
        self.edit_header(change)
        # [32, 16] and [16, 32] hold the same bytes, so only the table of shapes can object.
        self.bad("visual.proj", "text_projection", "ln_final.weight", "ln_final.wait",
                 "visual.class_embedding", "visual.extra")

    def test_no_weights(self):
        (self.model / WEIGHTS).unlink()
        self.bad("model", WEIGHTS)

    def test_no_config(self):
        (self.model / "open_clip_config.json").unlink()
        self.bad("open_clip_config.json")
        self.bad("open_clip_config.json", model="local-dir:model")
        (self.model / "config.json").write_text("{}")
        self.bad("config.json", "'clip'")

    def test_bad_config(self):
        config = json.loads((TINY / "open_clip_config.json").read_text())
        for text in ("", "[]", "{", '{"model_cfg": 3}'):
            (self.model / "open_clip_config.json").write_text(text)
            self.bad("open_clip_config.json")
        config["model_cfg"]["vision_cfg"]["timm_model_name"] = "vit_giant"
        (self.model / "open_clip_config.json").write_text(json.dumps(config))
        self.bad("vit_giant")

    def test_no_tokenizer(self):
        (self.model / "tokenizer.json").unlink()
        self.bad("tokenizer.json")
        (self.model / "tokenizer.json").write_text("{}")
        self.bad("tokenizer.json")

    def test_formats_are_told_apart_by_content(self):
        (self.model / WEIGHTS).rename(self.model / "open_clip_pytorch_model.bin")
        self.succeed("classify", "a.png", "--labels", "x,y", "--model", "model")
        self.bad("w.pt", "zip", model="ViT-B-32", more=("--pretrained", self.file("w.pt", b"PK\3\4")))
        evil = b"\x80\2cos\nsystem\nX\5\0\0\0false\x85R."
        self.bad("w.pt", "'os.system'", model="ViT-B-32",
                 more=("--pretrained", self.file("w.pt", evil)))

    def test_weights_given_by_file(self):
        (self.model / WEIGHTS).rename(self.dir / "w.safetensors")
        self.succeed("classify", "a.png", "--labels", "x,y", "--model", "model", "--pretrained",
                     "w.safetensors")
        self.bad("absent.safetensors", more=("--pretrained", "absent.safetensors"))

    def test_weights_of_another_model(self):
        self.bad("missing tensors", "wrong shapes", model="ViT-B-32",
                 more=("--pretrained", str(TINY / WEIGHTS), "--quiet"))

    def test_pretrained_without_model(self):
        self.refuse(2, "classify", "a.png", "--labels", "x", "--pretrained", "openai",
                  says="--model")

    def test_weights_that_are_not_on_this_machine(self):
        self.bad("timm/vit_base_patch32_clip_224.openai", "HF_HUB_OFFLINE", model="ViT-B-32",
                 more=("--pretrained", "openai", "--quiet"))
        self.bad("--pretrained", "openai", model="ViT-B-32")
        self.bad("hf-hub:org/absent", "HF_HUB_OFFLINE", model="hf-hub:org/absent")
        self.bad("../x", code=2, model="hf-hub:../x")

    def test_models_in_the_hub_cache(self):
        repo = self.dir / "hub/models--org--tiny"
        (repo / "refs").mkdir(parents=True)
        (repo / "refs/main").write_text("abc")
        (repo / "snapshots").mkdir()
        self.model.rename(repo / "snapshots/abc")
        answer = self.succeed_json("classify", "a.png", "--model", "hf-hub:org/tiny")
        self.assertEqual(len(answer[0]["labels"]), 3)

    def test_default_model_that_is_not_there(self):
        self.env["OPENCLIP_DEFAULT_MODEL"] = str(self.dir / "absent")
        self.refuse(1, "classify", "a.png", says=("OPENCLIP_DEFAULT_MODEL", "absent"))


if __name__ == "__main__":
    unittest.main()
