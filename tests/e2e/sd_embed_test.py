"""sd-embed, and the token states of embed: against what diffusers, transformers and open_clip compute
(tools/goldens/diffusers_models.py)."""
import json
import shutil
import struct
import unittest

from support import ROOT, ProgramTest, read_npy, read_safetensors

GOLDEN = ROOT / "tests/golden/diffusers"
CLIP = ROOT / "tests/golden/transformers/clip"
PROMPTS = ["a red cat", "photo dog red cat, it's 12 photos of a cat and a dog", "red!cat !", ""]
NEGATIVE = "a dog"


def tensors(path):
    header, data = read_safetensors(path)
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            out[name] = entry["shape"], struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    return out


class StatesTest(ProgramTest):
    def same(self, got, want):
        # f32 towers of three blocks on states of about 6: as in checkpoints_test.py.
        self.assertEqual(len(got), len(want))
        for x, y in zip(got, want):
            self.assertAlmostEqual(x, y, delta=2e-5)


class SdEmbedTest(StatesTest):
    def run_prompts(self, pipeline, prompts, *options):
        done = self.run_program("sd-embed", *prompts, "--for", pipeline, "--out", "o.safetensors",
                                *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.stderr = done.stderr
        return tensors(self.dir / "o.safetensors")

    def same_case(self, golden, case, got):
        names = [name for name in golden if name.startswith(case) and ("." in name) == bool(case)]
        self.assertEqual(sorted(name[len(case):] for name in names), sorted(got))
        for name in names:
            self.same(got[name[len(case):]][1], golden[name][1])

    def test_pipelines(self):
        for pipeline in ("sd1", "sd2", "sdxl"):
            golden, model = tensors(GOLDEN / f"{pipeline}.safetensors"), GOLDEN / pipeline
            got = self.run_prompts(pipeline, PROMPTS, "--negative", NEGATIVE, "--model", model)
            self.assertEqual(got["prompt_embeds"][0], golden["prompt_embeds"][0])
            self.same_case(golden, "", got)
            one = self.run_prompts(pipeline, PROMPTS[:1], "--model", model)
            self.assertEqual(one["prompt_embeds"][0], golden["prompt_embeds"][0][1:])
            self.same_case(golden, "empty.", one)
            self.same_case(golden, "clip_skip.", self.run_prompts(
                pipeline, PROMPTS[:1], "--negative", NEGATIVE, "--model", model, "--clip-skip", 1))

    def test_truncation_is_told(self):
        self.run_prompts("sd1", PROMPTS, "--model", GOLDEN / "sd1")
        self.assertIn("the prompt has more than 16 tokens; left out: 'tos of a cat and a dog'",
                      self.stderr)
        self.run_prompts("sd1", PROMPTS[:1], "--negative", PROMPTS[1], "--model", GOLDEN / "sd1")
        self.assertIn("the negative prompt has more than 16 tokens", self.stderr)

    def test_text_encoder_folders(self):
        """One or two folders of transformers in place of a model directory; padding is then the
        pipeline's own, and so is the vocabulary where the folder has none."""
        folders = []
        for name, tokenizer in (("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2")):
            folder = self.dir / name
            shutil.copytree(GOLDEN / "sdxl" / name, folder)
            for file in ("vocab.json", "merges.txt"):
                shutil.copy(GOLDEN / "sdxl" / tokenizer / file, folder)
            folders.append(folder)
        golden = tensors(GOLDEN / "sdxl.safetensors")
        got = self.run_prompts("sdxl", PROMPTS[:1], "--model", folders[0], "--model-2", folders[1])
        self.same_case(golden, "empty.", got)

    def test_whole_clip_models(self):
        golden = tensors(GOLDEN / "whole.safetensors")
        usable = [PROMPTS[i] for i in (0, 1, 3)]  # whose "!" is a word here, no padding

        def rows(name):
            shape = golden[name][0]
            size = len(golden[name][1]) // shape[0]
            return [x for i in (0, 1, 3) for x in golden[name][1][i * size:(i + 1) * size]]

        for pipeline in ("sd1", "sd2"):
            got = self.run_prompts(pipeline, usable, "--model", CLIP)
            self.same(got["prompt_embeds"][1], rows(pipeline))
        got = self.run_prompts("sdxl", usable, "--model", CLIP, "--model-2", CLIP)
        self.same(got["prompt_embeds"][1], rows("sdxl"))
        self.same(got["pooled_prompt_embeds"][1], rows("pooled.sd2"))

    def test_npy(self):
        golden = tensors(GOLDEN / "sdxl.safetensors")
        model = ("--model", GOLDEN / "sdxl")
        done = self.succeed_json("sd-embed", PROMPTS[0], "--for", "sdxl", "--out", "o.npy", *model)
        self.assertEqual(done["files"], ["o.npy", "o.pooled.npy"])
        self.assertEqual(done["tensors"]["prompt_embeds"], [16, 40])
        shape, values = read_npy(self.dir / "o.npy")
        self.assertEqual(shape, (16, 40))
        self.same(values, golden["empty.prompt_embeds"][1])
        self.same(read_npy(self.dir / "o.pooled.npy")[1], golden["empty.pooled_prompt_embeds"][1])
        done = self.succeed_json("sd-embed", PROMPTS[0], "--for", "sdxl", "--out", "o.npy",
                                 "--negative", NEGATIVE, *model)
        self.assertEqual(done["files"], ["o.npy", "o.negative.npy", "o.pooled.npy",
                                         "o.negative_pooled.npy"])

    def test_refusals(self):
        run = ("sd-embed", "x", "--out", "o.npy")
        sd1 = ("--model", GOLDEN / "sd1")
        self.refuse(2, *run, "--for", "sd4", *sd1, says="sd4")
        self.refuse(2, *run, *sd1, says="--for")
        self.refuse(2, "sd-embed", "x", "--for", "sd1", "--out", "o.pt", *sd1, says="o.pt")
        self.refuse(1, *run, "--for", "sdxl", *sd1, says="no text_encoder_2")
        self.refuse(2, *run, "--for", "sdxl", "--model", CLIP, says="--model-2")
        self.refuse(2, *run, "--for", "sd1", "--model", CLIP, "--model-2", CLIP, says="for sdxl")
        self.refuse(2, *run, "--for", "sd1", *sd1, "--clip-skip", 9, says="hidden layer -10")
        self.refuse(1, *run, "--for", "sd1", says="vit_large_patch14_clip_224")  # offline, and nothing in the cache
        shutil.copytree(GOLDEN / "sd1", self.dir / "bad")
        (self.dir / "bad/model_index.json").write_text('{"force_zeros_for_empty_prompt": 3}')
        self.refuse(1, *run, "--for", "sd1", "--model", "bad", says="force_zeros_for_empty_prompt")
        config = json.loads((GOLDEN / "sd1/text_encoder/config.json").read_text())
        (self.dir / "bad/model_index.json").unlink()
        (self.dir / "bad/text_encoder/config.json").write_text(
            json.dumps(dict(config, num_hidden_layers=7)))
        self.refuse(1, *run, "--for", "sd1", "--model", "bad", says="missing tensors")
        self.assertNotIn("o.npy", self.listing())

    def test_text_encoders_have_no_image_tower(self):
        folder = GOLDEN / "sdxl/text_encoder_2"
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(GOLDEN / "sdxl/tokenizer_2" / file, self.dir)
        for file in folder.iterdir():
            shutil.copy(file, self.dir)
        self.succeed("embed", "--text", "a red cat", "--no-normalize", "--out", "f.npy", "--model",
                     ".")
        golden = tensors(GOLDEN / "sdxl.safetensors")["empty.pooled_prompt_embeds"]
        self.same(read_npy(self.dir / "f.npy")[1], golden[1])
        image = ROOT / "samples/cat.png"
        self.refuse(1, "classify", image, "--labels", "a,b", "--model", ".", says="image tower")
        self.refuse(1, "convert", "--model", ".", "--out", "c", says="image tower")


class TokenStatesTest(StatesTest):
    def test_texts(self):
        golden = tensors(GOLDEN / "whole.safetensors")
        texts = [x for prompt in PROMPTS for x in ("--text", prompt)]
        # That folder pads with the end token, as sd1 does.
        self.succeed("embed", *texts, "--tokens", "--out", "t.npy", "--model", CLIP)
        shape, values = read_npy(self.dir / "t.npy")
        self.assertEqual(shape, (4, 16, 16))
        self.assertEqual(len((self.dir / "t.jsonl").read_text().splitlines()), 4)
        want = golden["embed.last"][1]
        self.same(values, want)
        for layer, name in ((0, "embed.0"), (1, "embed.1"), (-2, "embed.1"), (-1, "embed.2")):
            self.succeed("embed", *texts, "--hidden-layer", layer, "--out", "t.npy", "--model", CLIP)
            self.same(read_npy(self.dir / "t.npy")[1], golden[name][1])
        self.succeed("embed", *texts, "--hidden-layer", -2, "--tokens", "--out", "t.npy", "--model",
                     CLIP)
        self.same(read_npy(self.dir / "t.npy")[1], golden["embed.1.norm"][1])

    def test_images(self):
        golden = tensors(GOLDEN / "whole.safetensors")
        images = [ROOT / "samples/cat.png", ROOT / "samples/heart.png"]
        for options, name in ((("--tokens",), "image.last"), (("--hidden-layer", 1), "image.1")):
            self.succeed("embed", *images, *options, "--out", "t.npy", "--model", CLIP)
            shape, values = read_npy(self.dir / "t.npy")
            self.assertEqual(shape, tuple(golden[name][0]))
            self.same(values, golden[name][1])

    def test_refusals(self):
        image = ROOT / "samples/cat.png"
        self.refuse(2, "embed", image, "--text", "a", "--tokens", "--out", "t.npy", "--model", CLIP,
                    says="files of their own")
        self.refuse(2, "embed", image, "--hidden-layer", 3, "--out", "t.npy", "--model", CLIP,
                    says="no hidden layer 3")
        self.assertEqual(self.listing(), [])


if __name__ == "__main__":
    unittest.main()
